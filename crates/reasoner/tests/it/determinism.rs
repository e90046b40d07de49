//! The same evidence gives the same answer, to the byte, in whatever order its parts are listed.

use std::sync::Arc;
use std::time::Duration;

use operator_protocols::History;
use operator_reasoner::{Diagnoser, Inquiry, Reasoner, Remembered};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::world::{Fault, World, actions};

fn shuffled(history: &History, rng: &mut ChaCha8Rng) -> History {
    let mut shuffled = History::new();
    for look in history.iter() {
        let mut look = (**look).clone();
        look.components.shuffle(rng);
        look.dependencies.shuffle(rng);
        look.signals.shuffle(rng);
        look.events.shuffle(rng);
        shuffled.push(Arc::new(look), Duration::from_secs(86_400));
    }
    shuffled
}

#[test]
fn an_answer_does_not_depend_on_the_order_in_which_things_are_listed() {
    for fault in Fault::ALL {
        for seed in 0..4 {
            let mut world = World::with(fault, seed);
            let reasoner = Reasoner::new();
            let pack = world.pack();
            let first = serde_json::to_string(&pack).unwrap();
            let answer = serde_json::to_string(&reasoner.explain(&pack, &actions())).unwrap();
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let other = shuffled(&world.history, &mut rng);
            world.violations.shuffle(&mut rng);
            let mut offered = actions();
            offered.shuffle(&mut rng);
            let pack = world.pack_of(&other);
            assert_eq!(serde_json::to_string(&pack).unwrap(), first, "{fault:?} {seed}");
            assert_eq!(serde_json::to_string(&reasoner.explain(&pack, &offered)).unwrap(), answer, "{fault:?} {seed}");
        }
    }
}

#[test]
fn a_pack_that_was_written_down_is_explained_alike() {
    for fault in Fault::ALL {
        let pack = World::with(fault, 1).pack();
        let read = serde_json::from_str(&serde_json::to_string(&pack).unwrap()).unwrap();
        let (before, after) = (Reasoner::new().explain(&pack, &actions()), Reasoner::new().explain(&read, &actions()));
        assert_eq!((before.primary.class, before.primary.locus), (after.primary.class, after.primary.locus));
    }
}

#[test]
fn the_trait_gives_the_same_answer_at_once() {
    let pack = World::with(Fault::LinkSlow, 1).pack();
    let reasoner = Reasoner::new();
    let offered = actions();
    let past = Remembered::default();
    let inquiry = Inquiry { pack: &pack, actions: &offered, investigation: &past, reasoned: None };
    let mut future = reasoner.diagnose(inquiry);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(answer) = future.as_mut().poll(&mut context) else { panic!("it waited") };
    assert_eq!(answer.unwrap(), reasoner.explain(&pack, &offered).into());
    assert_eq!(reasoner.name(), "reasoner");
}
