//! What diagnosers answered, one JSON object a line, so that a long run goes on where it stopped.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use operator_protocols::FaultClass;
use operator_reasoner::Answer;
use serde::{Deserialize, Serialize};

use super::{CaseError, RecordedCase};
use crate::scenario::ActionVerdict;

/// Whose answer to what.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AnswerKey {
    /// Who answered: `reasoner`, or who took part and through which wire format.
    pub diagnoser: String,
    /// The case.
    pub case: String,
}

/// How an explanation fared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// Place and class are right; or it says rightly that nothing can be said.
    Right,
    /// The place is right, the class is not.
    RightPlace,
    /// The place is wrong.
    Wrong,
    /// It does not decide where it could be decided.
    Abstained,
    /// There was no answer.
    None,
}

/// One answer, whole: the exchange with a model is in its deliberation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredAnswer {
    /// Whose, and to what.
    #[serde(flatten)]
    pub key: AnswerKey,
    /// What the case is counted with.
    pub group: String,
    /// How the explanation fared.
    pub mark: Mark,
    /// How the first action fared, if one was recommended and the truth says which are right.
    pub action: Option<ActionVerdict>,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// Why there is no answer, if there is none.
    pub error: Option<String>,
    /// The answer.
    pub answer: Option<Answer>,
}

impl StoredAnswer {
    /// What was answered to a case, judged by what is true of it.
    pub fn judged(diagnoser: &str, case: &RecordedCase, took_ms: u64, answered: Result<Answer, String>) -> Self {
        let key = AnswerKey { diagnoser: diagnoser.to_owned(), case: case.id.clone() };
        let (answer, error) = match answered {
            Ok(answer) => (Some(answer), None),
            Err(error) => (None, Some(error)),
        };
        let mark = answer.as_ref().map_or(Mark::None, |answer| mark(case, answer));
        let first = answer.as_ref().and_then(|answer| answer.diagnosis.recommended_actions.first());
        let says_which = !(case.truth.actions.is_empty() && case.truth.harmful.is_empty());
        let action =
            first.filter(|_| says_which).map(|one| case.truth.judge_action(&one.action, &one.target.to_text()));
        Self { key, group: case.group.clone(), mark, action, took_ms, error, answer }
    }
}

fn mark(case: &RecordedCase, answer: &Answer) -> Mark {
    let primary = &answer.diagnosis.primary;
    let verdict = case.truth.judge_hypothesis(&primary.locus.to_text(), primary.class);
    if verdict.class {
        Mark::Right
    } else if primary.class == FaultClass::Unknown {
        Mark::Abstained
    } else if verdict.locus && case.truth.ticket {
        Mark::RightPlace
    } else {
        Mark::Wrong
    }
}

/// The answers of one run.
#[derive(Debug)]
pub struct AnswerLog {
    path: PathBuf,
    file: File,
    answers: BTreeMap<AnswerKey, StoredAnswer>,
}

impl AnswerLog {
    /// Opens the answers in a file, or begins them. A torn last line, left by a crash, is cut off.
    ///
    /// # Errors
    /// When the file cannot be used, or any other line is no answer.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, CaseError> {
        let path = path.into();
        let failed = |source| CaseError::Io { path: path.clone(), source };
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            other => other.map_err(failed)?,
        };
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        let answers = read(&path, text.get(..whole).unwrap_or_default())?;
        let file = OpenOptions::new().create(true).append(true).open(&path).map_err(failed)?;
        file.set_len(whole as u64).map_err(failed)?;
        Ok(Self { path, file, answers })
    }

    /// Reads answers that somebody else writes, or wrote.
    ///
    /// # Errors
    /// As [`AnswerLog::open`].
    pub fn read(path: &Path) -> Result<Vec<StoredAnswer>, CaseError> {
        let text = fs::read_to_string(path).map_err(|source| CaseError::Io { path: path.to_owned(), source })?;
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        Ok(read(path, text.get(..whole).unwrap_or_default())?.into_values().collect())
    }

    /// Whether this was answered already. What came to no answer is asked again.
    pub fn has(&self, key: &AnswerKey) -> bool {
        self.answers.get(key).is_some_and(|stored| stored.answer.is_some())
    }

    /// Keeps one more; one that was repeated counts as it came out last.
    ///
    /// # Errors
    /// When it is not on disk.
    pub fn push(&mut self, stored: StoredAnswer) -> Result<(), CaseError> {
        let written = serde_json::to_vec(&stored).map_err(io::Error::from).and_then(|mut line| {
            line.push(b'\n');
            self.file.write_all(&line)?;
            self.file.sync_data()
        });
        written.map_err(|source| CaseError::Io { path: self.path.clone(), source })?;
        self.answers.insert(stored.key.clone(), stored);
        Ok(())
    }

    /// All of them, in the order of their keys.
    pub fn answers(&self) -> impl Iterator<Item = &StoredAnswer> {
        self.answers.values()
    }
}

fn read(path: &Path, text: &str) -> Result<BTreeMap<AnswerKey, StoredAnswer>, CaseError> {
    let mut answers = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        let stored: StoredAnswer = serde_json::from_str(line)
            .map_err(|error| CaseError::Wrong { path: path.to_owned(), why: format!("line {}: {error}", index + 1) })?;
        answers.insert(stored.key.clone(), stored);
    }
    Ok(answers)
}

#[cfg(test)]
pub(crate) mod tests {
    use operator_reasoner::{Diagnoser as _, Inquiry, Reasoner};

    use super::super::recorded_case::tests::case;
    use super::*;

    /// What the reasoner answers to a case.
    pub(crate) async fn reasoned(case: &RecordedCase) -> Answer {
        let inquiry = Inquiry { pack: &case.pack, actions: &case.actions, investigation: &case.looks, reasoned: None };
        Reasoner::new().diagnose(inquiry).await.expect("an answer")
    }

    #[tokio::test]
    async fn an_explanation_is_judged_by_what_is_true() {
        let case = case("a");
        let judged = |answer| StoredAnswer::judged("x", &case, 1, answer).mark;
        let mut answer = reasoned(&case).await;
        let primary = |class, locus: &str, answer: &mut Answer| {
            answer.diagnosis.primary.class = class;
            answer.diagnosis.primary.locus = operator_protocols::Locus::component("s", locus);
            answer.clone()
        };
        assert_eq!(judged(Ok(primary(FaultClass::ComponentSlow, "store-2", &mut answer))), Mark::Right);
        assert_eq!(judged(Ok(primary(FaultClass::ComponentDown, "store-2", &mut answer))), Mark::RightPlace);
        assert_eq!(judged(Ok(primary(FaultClass::ComponentSlow, "front-1", &mut answer))), Mark::Wrong);
        assert_eq!(judged(Ok(primary(FaultClass::Unknown, "store-2", &mut answer))), Mark::Abstained);
        assert_eq!(judged(Err("gone".to_owned())), Mark::None);
    }

    #[tokio::test]
    async fn answers_are_kept_and_what_came_to_none_is_asked_again() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("answers.jsonl");
        let (first, second) = (case("a"), case("b"));
        let mut log = AnswerLog::open(&path).expect("open");
        log.push(StoredAnswer::judged("x", &first, 1, Ok(reasoned(&first).await))).expect("push");
        log.push(StoredAnswer::judged("x", &second, 1, Err("gone".to_owned()))).expect("push");
        drop(log);
        let torn = fs::read_to_string(&path).expect("read") + "{\"diagnoser\":\"x\",\"ca";
        fs::write(&path, torn).expect("write");
        let log = AnswerLog::open(&path).expect("open again");
        let key = |case: &str| AnswerKey { diagnoser: "x".to_owned(), case: case.to_owned() };
        assert!(log.has(&key("a")) && !log.has(&key("b")) && !log.has(&key("c")));
        assert_eq!(log.answers().cloned().collect::<Vec<_>>(), AnswerLog::read(&path).expect("read"));
    }
}
