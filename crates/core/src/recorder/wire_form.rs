//! What a subject answers has one form in JSON before anybody uses it: a reading JSON has no word for is replaced, so
//! that the loop and its replay see the same.

use operator_protocols::{Effect, Guard, Observation, ProbeAnswer, Receipt, Sent, Value};

/// Brings itself into the form that it would have after being written and read.
pub(super) trait WireForm {
    /// Replaces what would not read back as it is.
    fn settle(&mut self);
}

impl WireForm for Value {
    fn settle(&mut self) {
        match self {
            Self::Float(n) if !n.is_finite() => *self = Self::Null,
            Self::Uint(n) => *self = Self::from(*n),
            Self::List(list) => list.iter_mut().for_each(Value::settle),
            Self::Map(map) => map.values_mut().for_each(Value::settle),
            Self::Null | Self::Bool(_) | Self::Int(_) | Self::Float(_) | Self::Text(_) => {}
        }
    }
}

impl WireForm for Observation {
    fn settle(&mut self) {
        self.discard_readings_that_are_not_finite();
        self.details.values_mut().for_each(Value::settle);
        for change in self.events.iter_mut().filter_map(|event| event.change.as_mut()) {
            change.before.settle();
            change.after.settle();
        }
    }
}

impl WireForm for Guard {
    fn settle(&mut self) {
        self.facts.values_mut().for_each(Value::settle);
    }
}

impl WireForm for Receipt {
    fn settle(&mut self) {
        self.facts.values_mut().for_each(Value::settle);
    }
}

impl WireForm for Sent {
    fn settle(&mut self) {
        if let Self::Done(receipt) = self {
            receipt.settle();
        }
    }
}

impl WireForm for Effect {
    fn settle(&mut self) {
        match self {
            Self::Happened(receipt) => receipt.settle(),
            Self::UnderWay { progress } => *progress = progress.filter(|part| part.is_finite()),
            Self::Absent | Self::Unknown(_) => {}
        }
    }
}

impl WireForm for ProbeAnswer {
    fn settle(&mut self) {
        if let Ok(value) = &mut self.answer {
            value.settle();
        }
    }
}

#[cfg(test)]
mod tests {
    use operator_protocols::{Locus, Signal, SignalKind, SignalRole, Timestamp, Worse};

    use super::*;

    #[test]
    fn what_json_has_no_word_for_reads_back_as_the_loop_saw_it() {
        let mut seen = Observation::new(Timestamp::from_millis(7));
        for (name, value) in [("good", 0.1 + 0.2), ("bad", f64::NAN), ("worse", f64::INFINITY)] {
            seen.signals.push(Signal {
                on: Locus::Nothing,
                name: name.into(),
                role: SignalRole::Other,
                value,
                unit: "1".into(),
                observed_at: seen.at,
                kind: SignalKind::Gauge,
                worse: Worse::Neither,
            });
        }
        let nested = Value::map([("n", Value::Float(f64::NAN)), ("u", Value::Uint(3)), ("big", Value::Uint(u64::MAX))]);
        seen.details.insert("deep".into(), Value::List(vec![nested, Value::Float(-0.0), Value::Float(5.0)]));
        seen.settle();
        assert_eq!(seen.signals.len(), 1);
        assert_eq!(seen.unavailable.len(), 2);
        let text = serde_json::to_string(&seen).expect("it is JSON");
        let back: Observation = serde_json::from_str(&text).expect("it reads back");
        assert_eq!(back, seen);
    }
}
