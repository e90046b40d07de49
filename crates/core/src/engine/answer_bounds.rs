//! What of an answer is kept at all, before it is recorded and before anything in it is judged: its texts cut to
//! bounds, its numbers and actions taken out. An answer from outside may hold anything of any size.

use operator_reasoner::{Alternative, Answer, Deliberation, Diagnosis, EvidenceRef, Hypothesis, Outcome};

use crate::Command;

/// The largest answer that is looked at, in bytes of JSON.
const ANSWER_BYTES: usize = 4 * 1024 * 1024;
/// The longest name: of a diagnoser, a model, a question, an evidence item.
const NAME_CHARS: usize = 120;
/// The longest sentence.
const TEXT_CHARS: usize = 600;
/// The longest kept body of a call to a model, in characters.
const BODY_CHARS: usize = 32 * 1024;
/// The most calls to a model that are kept, the last ones.
const EXCHANGES: usize = 24;
/// The most parameters of a model that are kept, in bytes of JSON.
const PARAMETERS_BYTES: usize = 4 * 1024;
/// The most of everything else that is a list.
const ENTRIES: usize = 16;

/// The command as it is recorded and judged. Doing so twice changes nothing more.
pub(super) fn bounded(command: Command) -> Command {
    match command {
        Command::Answer { incident, question, answer } => {
            let incident = name(&incident);
            match serde_json::to_vec(&answer).map(|bytes| bytes.len()) {
                Ok(bytes) if bytes <= ANSWER_BYTES => Command::Answer {
                    incident,
                    question: name(&question),
                    answer: Box::new(Answer {
                        diagnosis: words_of(answer.diagnosis),
                        deliberation: answer.deliberation.map(cut_deliberation),
                    }),
                },
                Ok(bytes) => Command::AnswerTooLarge { incident, bytes: bytes as u64 },
                Err(_) => Command::AnswerTooLarge { incident, bytes: u64::MAX },
            }
        }
        Command::AnswerTooLarge { incident, bytes } => Command::AnswerTooLarge { incident: name(&incident), bytes },
        other => other,
    }
}

/// Without line breaks and other control characters, at most so long.
pub(super) fn text(text: &str) -> String {
    cut(text, TEXT_CHARS)
}

fn name(text: &str) -> String {
    cut(text, NAME_CHARS)
}

fn cut(text: &str, chars: usize) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(chars).collect()
}

fn body(text: &mut String) {
    if let Some((end, _)) = text.char_indices().nth(BODY_CHARS) {
        text.truncate(end);
    }
}

/// A diagnosis with nothing in it but what it names, what it cites and its words.
fn words_of(mut diagnosis: Diagnosis) -> Diagnosis {
    diagnosis.subject = name(&diagnosis.subject);
    diagnosis.incident = name(&diagnosis.incident);
    diagnosis.diagnoser = name(&diagnosis.diagnoser);
    diagnosis.diagnoser_version = name(&diagnosis.diagnoser_version);
    diagnosis.timeline.clear();
    diagnosis.affected.clear();
    diagnosis.readings.clear();
    diagnosis.commands.clear();
    diagnosis.risks.clear();
    diagnosis.recommended_actions.clear();
    diagnosis.recommended_action = String::new();
    diagnosis.confidence.word = String::new();
    diagnosis.confidence.probability = 0.0;
    diagnosis.primary = cited(diagnosis.primary);
    diagnosis.alternatives.truncate(ENTRIES);
    for alternative in &mut diagnosis.alternatives {
        let Alternative { hypothesis, conclusion } = alternative.clone();
        *alternative = Alternative { hypothesis: cited(hypothesis), conclusion: text(&conclusion) };
    }
    diagnosis.missing.truncate(ENTRIES);
    for missing in &mut diagnosis.missing {
        *missing = text(missing);
    }
    diagnosis
}

fn cited(mut hypothesis: Hypothesis) -> Hypothesis {
    hypothesis.statement = text(&hypothesis.statement);
    hypothesis.probability = 0.0;
    hypothesis.score = 0.0;
    for references in [&mut hypothesis.supporting, &mut hypothesis.contradicting] {
        references.truncate(ENTRIES);
        for EvidenceRef { id, because, weight } in references {
            id.0 = name(&id.0);
            *because = text(because);
            *weight = 0.0;
        }
    }
    hypothesis
}

fn cut_deliberation(mut of: Deliberation) -> Deliberation {
    for one in [&mut of.provider, &mut of.model, &mut of.prompt_version, &mut of.prompt_hash] {
        *one = name(one);
    }
    if serde_json::to_vec(&of.parameters).map_or(true, |bytes| bytes.len() > PARAMETERS_BYTES) {
        of.parameters = serde_json::Value::Null;
    }
    if let Outcome::FallenBack { why } = &mut of.outcome {
        *why = text(why);
    }
    of.faults.truncate(ENTRIES);
    for fault in &mut of.faults {
        *fault = text(fault);
    }
    of.verdicts.truncate(ENTRIES);
    for verdict in &mut of.verdicts {
        verdict.evidence.truncate(ENTRIES);
        for id in &mut verdict.evidence {
            id.0 = name(&id.0);
        }
        verdict.because = text(&verdict.because);
    }
    of.dissent = of.dissent.as_deref().map(text);
    of.exchanges.drain(..of.exchanges.len().saturating_sub(EXCHANGES));
    for exchange in &mut of.exchanges {
        body(&mut exchange.request);
        body(&mut exchange.response);
        exchange.request_hash = name(&exchange.request_hash);
        exchange.error = exchange.error.as_deref().map(text);
    }
    of
}
