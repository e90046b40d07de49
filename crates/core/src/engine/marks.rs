//! What a person says of a diagnosis afterwards. It is counted and learned from; its words are never read as a decision.

use operator_protocols::{FaultClass, Locus, Timestamp};
use serde_json::json;

use super::{Engine, answer_bounds, past};
use crate::{CommandError, Mark, MarkVerdict, Principal};

impl Engine {
    pub(super) fn mark(
        &mut self,
        who: &Principal,
        ticket: &str,
        verdict: MarkVerdict,
        cause: Option<(FaultClass, Locus)>,
        note: &str,
        at: Timestamp,
    ) -> Result<String, CommandError> {
        if let Some((class, locus)) = &cause {
            let wrong = |why: &str| CommandError::Invalid { field: "cause".to_owned(), why: why.to_owned() };
            if verdict != MarkVerdict::Wrong {
                return Err(wrong("expected none where the diagnosis was right"));
            }
            if *class == FaultClass::Unknown || !past::may_be_named(locus, &self.state.subject) {
                return Err(wrong("expected a known class of fault, at a place of this subject"));
            }
        }
        let (ticket, incident) = self.marked_ticket(ticket)?;
        let (diagnosis, diagnoser, class) = self.marked_diagnosis(&incident)?;
        let said = self.state.marks.get(&incident).or_else(|| self.state.past.get(&incident)?.mark.as_ref());
        let nothing_said = said.is_none_or(|mark| mark.verdict == MarkVerdict::Withdrawn);
        if verdict == MarkVerdict::Withdrawn && nothing_said {
            return Err(CommandError::refused(format!("nothing was said of the diagnosis of {incident}")));
        }
        let mark = Mark {
            subject: self.state.subject.clone(),
            incident: incident.clone(),
            ticket: ticket.clone(),
            diagnosis: diagnosis.clone(),
            diagnoser,
            class,
            verdict,
            cause,
            note: answer_bounds::text(note),
            by: who.clone(),
            at,
        };
        let body = json!({
            "incident": incident,
            "ticket": ticket,
            "verdict": verdict,
            "cause": mark.cause.as_ref().map(|(class, locus)| json!({ "class": class, "locus": locus })),
            "note": mark.note,
        });
        self.state.audit(Self::by(who, at, "diagnosis.marked", &diagnosis, body));
        if let Some(mut case) = self.state.past.get(&incident).cloned() {
            case.mark = Some(mark.clone());
            self.state.put_past(case);
        }
        self.state.put_mark(mark);
        Ok(match verdict {
            MarkVerdict::Right => format!("{diagnosis} is marked right"),
            MarkVerdict::Wrong => format!("{diagnosis} is marked wrong"),
            MarkVerdict::Withdrawn => format!("what was said of {diagnosis} is taken back"),
        })
    }

    /// A ticket that is remembered, or one of an incident that is over, with its incident.
    fn marked_ticket(&self, id: &str) -> Result<(String, String), CommandError> {
        let suffix = format!("-{id}");
        let matches = |known: &str| known == id || known.ends_with(&suffix);
        if let Some(ticket) = self.state.tickets.values().find(|ticket| matches(&ticket.id)) {
            return Ok((ticket.id.clone(), ticket.incident.clone()));
        }
        let own = self.state.past.values().filter(|case| case.subject == self.state.subject);
        own.flat_map(|case| case.tickets.iter().map(move |ticket| (ticket, &case.incident)))
            .find(|(ticket, _)| matches(ticket))
            .map(|(ticket, incident)| (ticket.clone(), incident.clone()))
            .ok_or_else(|| CommandError::NotFound {
                what: format!("ticket {}", id.chars().take(80).collect::<String>()),
                why: "no such ticket is open or among those remembered".to_owned(),
            })
    }

    fn marked_diagnosis(&self, incident: &str) -> Result<(String, String, FaultClass), CommandError> {
        if let Some((id, diagnosis)) = self.state.diagnoses.get(incident) {
            return Ok((id.clone(), diagnosis.diagnoser.clone(), diagnosis.primary.class));
        }
        let case = self.state.past.get(incident);
        case.map(|case| (case.diagnosis.clone(), case.diagnoser.clone(), case.diagnosed.0))
            .ok_or_else(|| CommandError::refused(format!("{incident} has no diagnosis to say anything of")))
    }
}
