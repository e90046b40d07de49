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
    insta::assert_snapshot!(scene.diagnosis().to_markdown(), @r"
    # Incident I-1 of shop: LinkSlow on api-2→store

    **The link api-2→store is slow, and neither of its ends is at fault.**

    Confidence high (94%), severity critical. Diagnosed by reasoner 2 at 2027-01-15T08:03:15Z.

    Affected: api-2, api-2→store.

    ## What happened

    - 2027-01-15T08:02:50Z **E1** latency (critical) violated on api-2: it does not hold; measured 1 s, threshold 0 s
    - 2027-01-15T08:02:50Z **E2** request_seconds of api-2 is 0.1553 s, baseline 0.0052 s (+300.2 robust deviations)
    - 2027-01-15T08:02:50Z **E3** hop_seconds of api-2→store is 0.1521 s, baseline 0.00208 s (+300.1 robust deviations)

    ## Why

    - **E3** for: the symptom is on this link; calls on the link take longer (+4.5)
    - **E11** for: another link to the same callee is as well as ever (+3.0)
    - **E2** for: it depends on this place (+2.5)
    - **E10** for: the callee's own latency is at its baseline (+1.5)
    - **E4** for: of the caller: its excess is that of what it calls (+1.5)
    - **E8** for: of the caller: not all of it is slow, only what waits (+1.5)

    ## What else was considered

    - **LinkDown on api-2→store**, 5%: less likely: the link carries, slowly (E3). For: E3, E11, E2, E10, E4. Against: E3.
    - **ComponentSlow on api-2**, 1%: less likely: its excess is that of what it calls (E4). For: E2, E11, E3, E10, E5. Against: E4, E8.
    - **ComponentSlow on store**, 0%: less likely: another caller reaches it as well as ever (E11). For: E3, E2. Against: E11, E10.
    - **NoFault**, 0%: less likely: an invariant is violated (E1). For: nothing. Against: E1, E2, E3.

    ## Numbers

    | evidence | on | what | measured | against |
    |---|---|---|---|---|
    | E1 | api-2 | latency | 1 s | 0 s |
    | E2 | api-2 | request_seconds | 0.1553 s | 0.0052 s |
    | E3 | api-2→store | hop_seconds | 0.1521 s | 0.00208 s |

    ## What to do

    drain on api-2: Do drain. It keeps its effects in bounds; it must be taken back later.

    1. `drain` on api-2: contains, risk medium, because of E3, E11, E2

    To look and to act by hand:

        operator incidents show I-1
        operator actions plan --incident I-1

    ## Risks

    - drain on api-2: risk medium; can be taken back by undrain
    ");
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
    insta::assert_snapshot!(scene.diagnosis().to_markdown(), @r"
    # Incident I-1 of shop: not decided

    **The evidence does not decide between “the link api-1→store is slow, and neither of its ends is at fault” and “store answers, but slowly, or fails at what it is asked”.**

    Confidence low (54%), severity critical. Diagnosed by reasoner 2 at 2027-01-15T08:03:15Z.

    Affected: api-1→store.

    ## What happened

    - 2027-01-15T08:02:50Z **E1** latency (critical) violated on api-1→store: it does not hold; measured 1 s, threshold 0 s
    - 2027-01-15T08:02:50Z **E2** hop_seconds of api-1→store is 0.1521 s, baseline 0.00208 s (+300.1 robust deviations)

    ## Why

    - **E2** for: it asks for an explanation (+3.0)

    ## What else was considered

    - **LinkSlow on api-1→store**, 54%: neither chosen nor ruled out; nothing speaks against it. For: E2, E4. Against: nothing.
    - **ComponentSlow on store**, 41%: neither chosen nor ruled out; nothing speaks against it. For: E2. Against: nothing.
    - **LinkDown on api-1→store**, 3%: neither chosen nor ruled out; most against it: the link carries, slowly (E2). For: E2, E4. Against: E2.
    - **NoFault**, 0%: neither chosen nor ruled out; most against it: an invariant is violated (E1). For: nothing. Against: E1, E2.

    ## Numbers

    | evidence | on | what | measured | against |
    |---|---|---|---|---|
    | E1 | api-1→store | latency | 1 s | 0 s |
    | E2 | api-1→store | hop_seconds | 0.1521 s | 0.00208 s |

    ## What to do

    Wait and observe; look at what is missing before acting.

    To look and to act by hand:

        operator incidents show I-1
        operator actions plan --incident I-1

    ## What is missing

    - how long store takes as it measures it itself, or as a caller other than api-1 sees it
    ");
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
