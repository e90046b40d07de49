//! A recorded investigation gives its answer again, to the byte and without a call.

use std::sync::Arc;

use operator_llm::{Failure, Provider, RecordedProvider, RecordingProvider, Reply, Request};
use operator_protocols::BoxFuture;
use serde_json::json;

use crate::scripted::{Put, Scripted, calls, deliberation, says, submits, why_fallen_back};
use crate::world::Fault;

/// Shares a scripted model with the recorder.
struct Shared(Arc<Scripted>);

impl Provider for Shared {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn model(&self) -> &str {
        self.0.model()
    }

    fn uses_tools(&self) -> bool {
        self.0.uses_tools()
    }

    fn send<'a>(
        &'a self,
        request: &'a Request,
        time_limit: std::time::Duration,
        heard: &'a (dyn Fn(&str) + Send + Sync),
    ) -> BoxFuture<'a, Result<Reply, Failure>> {
        self.0.send(request, time_limit, heard)
    }
}

#[test]
fn the_same_inquiry_and_the_recorded_replies_give_the_same_answer() {
    let put = Put::of(Fault::StoreSlow, 3);
    let mut bad = put.agreeing(1);
    bad["statement"] = json!("it takes 91827 ms");
    let scripts = [
        (true, vec![submits(put.agreeing(1))]),
        (
            true,
            vec![
                calls("list_events", json!({})),
                calls("nonsense", json!({})),
                submits(bad.clone()),
                submits(put.agreeing(1)),
            ],
        ),
        (true, vec![submits(bad.clone())]),
        (false, vec![says(bad.to_string()), says(put.agreeing(1).to_string())]),
        (true, vec![says("no")]),
    ];
    for (tools, script) in scripts {
        let model = Scripted::saying(tools, script);
        let recorder = Arc::new(RecordingProvider::new(Shared(model.clone())));
        let live = put.ask(recorder.clone());
        let recording = recorder.recording();
        assert_eq!(recording.len(), model.requests().len());

        let played = Arc::new(RecordedProvider::new("scripted", "m-1", tools, recording));
        let again = put.ask(played.clone());
        assert_eq!(serde_json::to_vec(&again).unwrap(), serde_json::to_vec(&live).unwrap());
        assert_eq!(played.left(), 0);
        assert_eq!(model.requests().len(), recorder.recording().len(), "the model was asked again");
    }
}

#[test]
fn another_inquiry_finds_no_reply_in_the_recording() {
    let put = Put::of(Fault::StoreSlow, 3);
    let recorder = Arc::new(RecordingProvider::new(Shared(Scripted::saying(true, vec![submits(put.agreeing(1))]))));
    put.ask(recorder.clone());
    let other = Put::of(Fault::CallerDown, 3);
    let answer = other.ask(Arc::new(RecordedProvider::new("scripted", "m-1", true, recorder.recording())));
    assert!(why_fallen_back(&answer).contains("no reply is recorded"));
    assert_eq!(answer.diagnosis, other.reasoned);
    assert_eq!(deliberation(&answer).exchanges.len(), 1);
}
