//! Every key there is, with its kind, its default and what it means: what is read, what is refused and what is
//! documented all follow from this one table.

/// One key.
#[derive(Debug)]
pub(super) struct Key {
    /// Its section, `policy.budget`.
    pub(super) section: &'static str,
    /// Its name within the section.
    pub(super) name: &'static str,
    /// What it may be.
    pub(super) kind: Kind,
    /// What it is when nobody says it, as it would be written.
    pub(super) default: &'static str,
    /// What it means.
    pub(super) about: &'static str,
}

/// What a key may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    /// A folder.
    Path,
    /// A duration between two bounds, in milliseconds.
    Duration { min_ms: u64, max_ms: u64 },
    /// A whole number between two bounds.
    Integer { min: u32, max: u32 },
    /// A number between two bounds.
    Number { min: f64, max: f64 },
    /// A level of autonomy.
    Autonomy,
    /// One of a few words.
    Choice(&'static [&'static str]),
    /// True or false.
    Switch,
    /// Text; none, if it is empty.
    Text,
    /// An address beginning with `http://` or `https://`; none, if it is empty.
    Url,
    /// A file; none, if it is empty.
    File,
    /// A price in US dollars, at least 0; none, if it is empty.
    Price,
}

const fn key(section: &'static str, name: &'static str, kind: Kind, default: &'static str, about: &'static str) -> Key {
    Key { section, name, kind, default, about }
}

const DAY: u64 = 86_400_000;

const fn up_to(max_ms: u64) -> Kind {
    Kind::Duration { min_ms: 0, max_ms }
}

const fn between(min_ms: u64, max_ms: u64) -> Kind {
    Kind::Duration { min_ms, max_ms }
}

const fn count(min: u32, max: u32) -> Kind {
    Kind::Integer { min, max }
}

/// Every key of a section with fixed keys. `Config` reads exactly these.
pub(super) const KEYS: &[Key] = &[
    key(
        "operator",
        "state_dir",
        Kind::Path,
        "$XDG_STATE_HOME/operator",
        "Where the store, the control socket, the kill-switch file and recordings are kept",
    ),
    key(
        "operator",
        "interval",
        between(100, 3_600_000),
        "5s",
        "From the beginning of one cycle to the beginning of the next; a subject may state its own",
    ),
    key(
        "operator",
        "incident_window",
        up_to(DAY),
        "2m",
        "Tickets that begin within so much of each other, on things that depend on each other, share an incident",
    ),
    key(
        "operator",
        "reopen_within",
        up_to(DAY),
        "10m",
        "A resolved ticket whose violation comes back within so much is opened again",
    ),
    key("operator", "evidence_window", between(1_000, DAY), "15m", "How much of the past a diagnosis looks at"),
    key(
        "operator",
        "monitoring_gap_after",
        between(1_000, DAY),
        "1m",
        "An invariant that cannot be judged for so long is itself a ticket",
    ),
    key(
        "operator",
        "wait_before_human",
        up_to(DAY),
        "5m",
        "How long a cause without a candidate action is watched before a person is called",
    ),
    key("policy", "low_risk", Kind::Autonomy, "observe", "How much is done by itself with actions of low risk"),
    key("policy", "medium_risk", Kind::Autonomy, "observe", "The same for medium risk"),
    key("policy", "high_risk", Kind::Autonomy, "observe", "The same for high risk"),
    key(
        "policy",
        "proposal_expires",
        between(1_000, 3_600_000),
        "15m",
        "How long a proposal waits for its approval or its claim; at most an hour",
    ),
    key(
        "policy",
        "confirmations",
        count(1, 100),
        "2",
        "How many cycles running a diagnosis must name the same cause before it is acted on",
    ),
    key(
        "policy",
        "minimum_probability",
        Kind::Number { min: 0.0, max: 1.0 },
        "0.5",
        "How probable a cause must be before it is acted on without asking, from 0 to 1",
    ),
    key("policy", "fresh_within", between(100, 3_600_000), "30s", "How old an observation may be to act on"),
    key(
        "policy",
        "send_time_limit",
        between(100, 3_600_000),
        "15s",
        "How long the outcome of a sent action is waited for",
    ),
    key(
        "policy",
        "quiesce",
        up_to(DAY),
        "1m",
        "How long after a send whose outcome is unknown a late request may still arrive",
    ),
    key("policy", "max_attempts", count(1, 10), "3", "How many attempts an action may have, the first included"),
    key(
        "policy",
        "actions_per_incident",
        count(0, 100),
        "4",
        "How many different actions may be tried for one incident before a person is called",
    ),
    key(
        "policy.budget",
        "per_target_per_hour",
        count(0, 10_000),
        "3",
        "Actions an hour on one target; an action's own limits go before this; 0 stops all",
    ),
    key(
        "policy.budget",
        "per_subject_per_hour",
        count(0, 10_000),
        "10",
        "Actions an hour on one subject; an action's own limits go before this; 0 stops all",
    ),
    key("policy.budget", "overall_per_hour", count(0, 10_000), "20", "Actions an hour in all; 0 stops all"),
    key("policy.budget", "in_flight_per_subject", count(0, 1_000), "1", "Actions at the same time within one subject"),
    key(
        "policy.breaker",
        "failures",
        count(1, 1_000),
        "3",
        "How many failed, unknown or ineffective actions of one kind, or on one target, stop further ones",
    ),
    key("policy.breaker", "open_for", up_to(DAY), "30m", "How long they are stopped after the last of them"),
    key(
        "agent",
        "diagnoser",
        Kind::Choice(&["reasoner", "llm"]),
        "reasoner",
        "Who explains: the embedded reasoner alone, or a language model beside it, whose answers are checked against the \
         evidence; without a key the reasoner answers alone",
    ),
    key("agent", "parallel", count(1, 64), "2", "How many incidents the model is asked about at the same time"),
    key(
        "agent",
        "patience",
        between(1_000, DAY),
        "",
        "How long the proposals for an incident wait for the model's answer; then the reasoner's explanation stands; \
         half a minute more than `llm.time_limit` if empty",
    ),
    key(
        "agent",
        "attempts",
        count(1, 10),
        "3",
        "How many attempts at an incident there are before it is left to the reasoner",
    ),
    key("llm", "provider", Kind::Choice(&["anthropic", "openai-compatible"]), "anthropic", "The wire format"),
    key(
        "llm",
        "base_url",
        Kind::Url,
        "",
        "Where to ask: `http://127.0.0.1:8080/v1`, say, and `http` only on this machine; required for `openai-compatible`, else Anthropic's own if empty",
    ),
    key(
        "llm",
        "model",
        Kind::Text,
        "",
        "Which model to ask; required for `openai-compatible`, else the default if empty, which `operator doctor` names",
    ),
    key(
        "llm",
        "key_env",
        Kind::Text,
        "",
        "The environment variable that holds the key; without it and `key_file`, `ANTHROPIC_API_KEY` for `anthropic` and no \
         key for `openai-compatible`",
    ),
    key("llm", "key_file", Kind::File, "", "The file that holds the key, relative to the working directory"),
    key("llm", "max_turns", count(1, 12), "12", "The most calls about one incident, the repair of an answer included"),
    key(
        "llm",
        "tools",
        Kind::Switch,
        "true",
        "Whether the model may look further with read-only tools; without them it answers once",
    ),
    key(
        "llm",
        "time_limit",
        between(1_000, 3_600_000),
        "",
        "How long one incident may take; if empty `1m`, and `10m` for a model on this machine",
    ),
    key(
        "llm",
        "context_tokens",
        count(500, 1_000_000),
        "",
        "About how many tokens of evidence the model is given; if empty 30000, and 3500 for a model on this machine",
    ),
    key(
        "llm",
        "max_output_tokens",
        count(64, 65_536),
        "",
        "The most tokens the model may write in one call; if empty 4096, and 1024 for a model on this machine",
    ),
    key(
        "llm",
        "max_tokens",
        count(1_000, 100_000_000),
        "300000",
        "The most tokens, read and written, that one incident may cost; reserved before each call",
    ),
    key(
        "llm",
        "max_cost",
        Kind::Number { min: 0.0, max: 1_000.0 },
        "0.5",
        "The most US dollars that one incident may cost; reserved before each call",
    ),
    key(
        "llm",
        "price_input",
        Kind::Price,
        "",
        "US dollars for a million tokens read; if empty: nothing on this machine, else the list price, or that of the dearest model whose price is known",
    ),
    key("llm", "price_cached", Kind::Price, "", "The same for tokens read from the provider's cache"),
    key("llm", "price_output", Kind::Price, "", "The same for tokens written"),
];

/// A section whose keys are names of other things.
pub(super) struct OpenSection {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) example: &'static str,
}

/// The sections whose keys are names of other things.
pub(super) const OPEN_SECTIONS: &[OpenSection] = &[
    OpenSection {
        name: "policy.actions",
        about: "How much is done by itself with single actions, by name: it goes before the risk's level.",
        example: "start_component = \"auto\"",
    },
    OpenSection {
        name: "policy.params",
        about: "Parameters of actions that come from policy, as \"ACTION.PARAM\"; an action's own default where there is none.",
        example: "\"drain_node.ttl_s\" = 600",
    },
];

/// The sections there are.
pub(super) const SECTIONS: [&str; 6] = ["agent", "llm", "operator", "policy", "principal", "subject"];

/// Those of them that are one table of fixed keys.
pub(super) const PLAIN_SECTIONS: [&str; 3] = ["agent", "llm", "operator"];

/// The tables within `policy`.
pub(super) const POLICY_TABLES: [&str; 4] = ["actions", "params", "budget", "breaker"];

/// The keys of a `[[principal]]`.
pub(super) const PRINCIPAL_KEYS: [(&str, &str); 6] = [
    ("name", "The name decisions are recorded under: 1 to 64 bytes without spaces"),
    ("role", "`viewer`, `operator`, `approver` or `admin`; each includes those before it"),
    ("uid", "The user's id; or else a token"),
    ("token_file", "The file that holds the token: 16 to 1024 printable ASCII characters"),
    ("token_env", "The environment variable that holds the token"),
    (
        "subjects",
        "The subjects they may act on, `[\"*\"]` for every one; a token needs it, a user may act on every one without it",
    ),
];

/// The keys of a `[[subject]]`.
pub(super) const SUBJECT_KEYS: [(&str, &str); 5] = [
    ("name", "The instance's name: lower-case letters, digits and dashes"),
    ("kind", "The kind of system; `operator subjects list` names them"),
    ("interval", "Its own interval between cycles"),
    (
        "lab",
        "The folder of an environment that `operator deploy up` runs, relative to the working directory: what it says of \
         itself need not stand in `settings`, and its processes can be started and restarted",
    ),
    ("settings", "A table of settings whose names are the kind's own; secrets only as `…_file` or `…_env`"),
];

/// The key of that section and name.
pub(super) fn find(section: &str, name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.section == section && key.name == name)
}

/// The names of a section's fixed keys.
pub(super) fn names(section: &str) -> impl Iterator<Item = &'static str> {
    KEYS.iter().filter(move |key| key.section == section).map(|key| key.name)
}
