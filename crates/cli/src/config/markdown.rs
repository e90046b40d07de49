//! The configuration's page for people, written from the same table that reads it.

use std::fmt::Write as _;

use crate::config::schema::{self, Kind};
use crate::config::show_duration;

/// The whole page. A test keeps `docs/configuration.md` equal to it.
pub fn configuration_page() -> String {
    let mut page = String::from(INTRODUCTION);
    for section in ["operator", "policy", "policy.budget", "policy.breaker", "agent", "llm"] {
        // Writing to a String cannot fail.
        let _ = writeln!(page, "\n## `[{section}]`\n\n| key | kind | default | meaning |\n|---|---|---|---|");
        for key in schema::KEYS.iter().filter(|key| key.section == section) {
            let default = if key.default.is_empty() { "none".to_owned() } else { format!("`{}`", key.default) };
            let _ = writeln!(page, "| `{}` | {} | {default} | {} |", key.name, kind(key.kind), key.about);
        }
    }
    for section in schema::OPEN_SECTIONS {
        let _ = writeln!(
            page,
            "\n## `[{}]`\n\n{}\n\n```toml\n[{}]\n{}\n```",
            section.name, section.about, section.name, section.example
        );
    }
    page.push_str("\n## `[[principal]]`\n\n");
    page.push_str(PRINCIPALS);
    page.push_str("\n| key | meaning |\n|---|---|\n");
    for (name, about) in schema::PRINCIPAL_KEYS {
        let _ = writeln!(page, "| `{name}` | {about} |");
    }
    page.push_str("\n## `[[subject]]`\n\n");
    page.push_str(SUBJECTS);
    page.push_str("\n| key | meaning |\n|---|---|\n");
    for (name, about) in schema::SUBJECT_KEYS {
        let _ = writeln!(page, "| `{name}` | {about} |");
    }
    page.push_str(EXAMPLE);
    page
}

fn kind(kind: Kind) -> String {
    match kind {
        Kind::Path => "folder".to_owned(),
        Kind::Duration { min_ms, max_ms } => {
            let show = |ms| show_duration(std::time::Duration::from_millis(ms));
            format!("duration, {} to {}", show(min_ms), show(max_ms))
        }
        Kind::Integer { min, max } => format!("whole number, {min} to {max}"),
        Kind::Number { min, max } => format!("number, {min} to {max}"),
        Kind::Choice(words) => {
            let words: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
            words.join(" or ")
        }
        Kind::Switch => "`true` or `false`".to_owned(),
        Kind::Text => "text".to_owned(),
        Kind::Url => "address".to_owned(),
        Kind::File => "file".to_owned(),
        Kind::Price => "US dollars".to_owned(),
        Kind::Autonomy => "`observe`, `propose`, `approve` or `auto`".to_owned(),
    }
}

const INTRODUCTION: &str = "\
# Configuration

`operator check-config` reads the configuration, says what is wrong with it, and starts nothing.

The file is the first of these that exists: `--config PATH`, `$OPERATOR_CONFIG`, `./operator.toml`,
`$XDG_CONFIG_HOME/operator/operator.toml` (`~/.config` where the variable is not set), `/etc/operator/operator.toml`.
A file named by flag or variable must exist. Without a file, the defaults below hold: the operator only observes.

Every key can be overridden, first by the environment and then by flags:

| written in the file | in the environment | as a flag |
|---|---|---|
| `interval` in `[operator]` | `OPERATOR_OPERATOR__INTERVAL=2s` | `--set operator.interval=2s` |
| `low_risk` in `[policy]` | `OPERATOR_POLICY__LOW_RISK=auto` | `--set policy.low_risk=auto` |
| `overall_per_hour` in `[policy.budget]` | `OPERATOR_POLICY__BUDGET__OVERALL_PER_HOUR=5` | `--set policy.budget.overall_per_hour=5` |
| `start_component` in `[policy.actions]` | `OPERATOR_POLICY__ACTIONS__START_COMPONENT=auto` | `--set policy.actions.start_component=auto` |
| a setting of the subject `prod-eu` | `OPERATOR_SUBJECT__PROD_EU__SETTING=…` | `--set subject.prod-eu.setting=…` |

Unknown keys are errors, wherever they stand; the error names the nearest known one. Durations are written with their
unit: `250ms`, `5s`, `2m`, `1h30m`, `1d`. Secrets never stand in the file: settings that need one take the name of a file
(`…_file`) or of an environment variable (`…_env`).
";

const PRINCIPALS: &str = "\
Who may ask for what over the control socket in the state directory. A principal is a user of this host (the kernel says
who is at the other end), or the holder of a token. Root and the user who runs the operator are administrators unless they
are named with another role; nobody else may do anything. Where an action of high risk needs approval, two different people
must give it, neither of them the one who asked for it.

What a level of autonomy means: at `observe` nothing is done, at `propose` it is shown what would be, at `approve` a person
approves, at `auto` it is done, of high risk too. What a person asks for, what takes back somebody's change, and what rests on
a model's cause that the evidence alone does not point to needs approval at every level.
";

const SUBJECTS: &str = "\
A system to watch; as many as there are, of one kind or of several. Each has a loop of its own, and no other waits for it;
they share the store, the budget over all and the kill switch of everything. `--subject NAME` picks one. Without any, `--subject KIND` builds one of that name from the environment and flags alone.
";

const EXAMPLE: &str = "
## Example

```toml
[operator]
state_dir = \"/var/lib/operator\"
interval = \"5s\"

[policy]
low_risk = \"auto\"
medium_risk = \"approve\"

[[principal]]
name = \"ana\"
uid = 1000
role = \"approver\"

[[subject]]
name = \"prod-limiter\"
kind = \"ratelimiter\"

[subject.settings]
redis_url = \"redis://localhost:6379\"
nodes = [\"localhost:8000\", \"localhost:8001\", \"localhost:8002\"]

[[subject]]
name = \"staging-limiter\"
kind = \"ratelimiter\"
interval = \"30s\"

[subject.settings]
redis_url = \"redis://localhost:6380\"
nodes = [\"localhost:9000\"]
```
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse_duration;
    use crate::config::read::tests::config;

    #[test]
    fn the_page_in_docs_is_the_one_written_from_the_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(path, configuration_page()).expect("docs can be written");
        }
        let page = std::fs::read_to_string(path).expect("docs/configuration.md exists");
        assert!(page == configuration_page(), "run the tests with UPDATE_DOCS=1 to write docs/configuration.md");
    }

    #[test]
    fn the_example_is_a_configuration_that_is_right() {
        let example = EXAMPLE.split("```toml").nth(1).and_then(|rest| rest.split("```").next()).expect("a block");
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("operator.toml");
        std::fs::write(&path, example).expect("written");
        let sources = crate::config::Sources { config_flag: Some(path), ..Default::default() };
        let config = crate::config::Config::load(&sources).expect("right");
        for entry in &config.subjects {
            if crate::registry::find(&entry.config.kind).is_some() {
                assert!(crate::host::Watched::make(entry, &config.engine, None).is_ok(), "{entry:?}");
            }
        }
    }

    fn told(config: &crate::config::Config) -> impl PartialEq + std::fmt::Debug {
        (config.engine.clone(), config.agent.clone(), config.llm.clone())
    }

    #[test]
    fn the_defaults_in_the_table_are_those_that_hold() {
        let plain = config(&[]).expect("the empty configuration is fine");
        for key in schema::KEYS.iter().filter(|key| key.kind != Kind::Path) {
            let said = config(&[&format!("{}.{}={}", key.section, key.name, key.default)]);
            let said = said.unwrap_or_else(|error| panic!("{}.{}: {error}", key.section, key.name));
            assert_eq!(told(&said), told(&plain), "{}.{}", key.section, key.name);
        }
    }

    #[test]
    fn every_key_of_the_table_is_read() {
        let plain = config(&[]).expect("the empty configuration is fine");
        for key in schema::KEYS.iter().filter(|key| key.kind != Kind::Path) {
            let other = match key.kind {
                Kind::Duration { max_ms, .. } => {
                    let default = parse_duration(key.default).unwrap_or_default();
                    let max = std::time::Duration::from_millis(max_ms);
                    show_duration(if default == max { max / 2 } else { max })
                }
                Kind::Integer { min, max } => if key.default == max.to_string() { min } else { max }.to_string(),
                Kind::Number { max, .. } => max.to_string(),
                Kind::Autonomy => "auto".to_owned(),
                Kind::Choice(words) => {
                    words.iter().find(|word| **word != key.default).expect("a choice has two words").to_string()
                }
                Kind::Switch => (key.default != "true").to_string(),
                Kind::Text | Kind::File => "OTHER".to_owned(),
                Kind::Url => "http://127.0.0.1:1/v1".to_owned(),
                Kind::Price => "7.5".to_owned(),
                Kind::Path => unreachable!("filtered above"),
            };
            let said = config(&[&format!("{}.{}={other}", key.section, key.name)]).expect(key.name);
            assert_ne!(told(&said), told(&plain), "{}.{} changes nothing", key.section, key.name);
        }
    }
}
