//! Handing what came in from outside to the recorder, where there is one.

use std::collections::BTreeSet;

use operator_protocols::Timestamp;

use super::Engine;
use crate::Principal;
use crate::recorder::{Header, Record};
use crate::store::KillScope;

impl Engine {
    pub(super) fn record(&self, record: &Record) {
        if let Some(recorder) = &self.recorder {
            recorder.append(record);
        }
    }

    pub(super) fn checkpoint(&self, at: Timestamp) {
        let Some(recorder) = self.recorder.as_ref().filter(|recorder| recorder.checkpoint_due(at)) else { return };
        let settings = serde_json::to_value(&self.settings).unwrap_or_default();
        let mut snapshot = self.state.snapshot();
        let open = |(incident, _): &(&String, &Timestamp)| self.state.incidents.contains_key(*incident);
        snapshot.explained_at =
            self.explained_at.iter().filter(open).map(|(incident, at)| (incident.clone(), *at)).collect();
        let header = Header::new(self.subject.as_ref(), self.state.install_id.clone(), settings, snapshot, at);
        recorder.checkpoint(header, self.history.iter().cloned().collect());
        if self.killed {
            let (principal, reason) = (Principal::operator(), "engaged before the recording began".to_owned());
            recorder.append(&Record::KillSwitch { at, principal, scope: KillScope::Global, engaged: true, reason });
        }
    }

    pub(super) fn record_new_incidents(&mut self) {
        let Some(recorder) = &self.recorder else { return };
        for incident in self.state.open_incidents() {
            if self.recorded_incidents.insert(incident.clone()) {
                recorder.begin_incident(&incident);
            }
        }
    }

    pub(super) fn end_recorded_incidents(&mut self) {
        let Some(recorder) = &self.recorder else { return };
        let open: BTreeSet<_> = self.state.open_incidents().into_iter().collect();
        self.recorded_incidents.retain(|incident| {
            let goes_on = open.contains(incident);
            if !goes_on {
                recorder.end_incident(incident);
            }
            goes_on
        });
    }
}
