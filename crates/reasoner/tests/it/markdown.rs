//! What people read: the page of a diagnosis, and that nothing from outside can be anything but text on it.

use operator_protocols::{ComponentState, Finding, Locus};

use crate::scene::{Scene, add, set};
use crate::world::{SUBJECT, api, hop, item};

#[test]
fn a_slow_link_is_told_with_reasons_and_what_was_ruled_out() {
    let scene = Scene::new()
        .since_onset(|look| {
            add(look, &hop(2), "hop_seconds", 0.15);
            add(look, &api(2), "request_seconds", 0.15);
        })
        .violated("latency", api(2));
    insta::assert_snapshot!(scene.diagnosis().to_markdown(), @"PASTE1");
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
    insta::assert_snapshot!(scene.diagnosis().to_markdown(), @"PASTE2");
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
