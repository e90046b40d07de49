//! A past that is held as a table of signals gives the same evidence as one held as observations.

use std::collections::BTreeMap;

use operator_protocols::{Locus, Signal};
use operator_reasoner::{Column, EvidencePack, PackInput, SignalTable};

use crate::scene::{Scene, time};
use crate::world::{SUBJECT, actions, api, hop, invariants, store};

/// Takes every signal out of the scene's looks and into a table.
fn as_table(scene: &mut Scene) -> SignalTable {
    let mut table = SignalTable::new(scene.looks.iter().map(|look| look.at).collect()).expect("looks are in order");
    let mut columns: BTreeMap<(Locus, String), (Signal, Vec<f32>)> = BTreeMap::new();
    let looks = scene.looks.len();
    for (n, look) in scene.looks.iter_mut().enumerate() {
        for signal in look.signals.drain(..) {
            let value = signal.value as f32;
            let key = (signal.on.clone(), signal.name.clone());
            columns.entry(key).or_insert_with(|| (signal, vec![f32::NAN; looks])).1[n] = value;
        }
    }
    for (signal, values) in columns.into_values() {
        let Signal { on, name, role, unit, worse, .. } = signal;
        table.push(Column { on, name, role, unit, worse }, &values).expect("as long as the looks");
    }
    table
}

fn pack(scene: &Scene, table: Option<&SignalTable>) -> EvidencePack {
    let input = PackInput {
        subject: SUBJECT,
        incident: "I-1",
        now: scene.now(),
        history: &scene.history(),
        violations: &scene.violations,
        invariants: &invariants(),
        actions: &actions(),
        own_actions: &[],
        similar: &[],
    };
    EvidencePack::build_over(&input, &[], table)
}

#[test]
fn a_table_gives_the_evidence_that_observations_give() {
    let scene = Scene::new()
        .since_onset(|look| {
            let at = look.at;
            look.signals.retain(|signal| signal.on != store());
            look.signals.push(time(&api(1), "other_seconds", 0.5, at));
            for signal in &mut look.signals {
                if signal.on == api(2) || signal.on == hop(2) {
                    signal.value += 0.25;
                }
            }
        })
        .violated("fast", api(2));
    // Both see what 32 bits can hold.
    let scene = scene.always(|look| look.signals.iter_mut().for_each(|one| one.value = f64::from(one.value as f32)));
    let gathered = pack(&scene, None);
    let mut emptied = scene.clone();
    let table = as_table(&mut emptied);
    assert_eq!(pack(&emptied, Some(&table)), gathered);
    assert_ne!(pack(&emptied, None), gathered, "without the table there is less to see");
    // What both know counts once.
    assert_eq!(pack(&scene, Some(&table)), gathered);
}
