//! The form of an answer, for this one case: every set in it is closed and computed by code, so that what a model is
//! held to cannot name what does not exist. Members are named so that their alphabetical order, in which they are sent
//! and written, is also the order to think in: first the ranking, then the cause.

use operator_protocols::FaultClass;
use serde_json::{Value as Json, json};

use crate::bounds::{ASKED_REASON, ASKED_REASON_SMALL, ASKED_STATEMENT, REASON};
use crate::case::{Case, WAIT};

/// The most verdicts.
pub(crate) const VERDICTS: usize = 6;
/// The most citations in either direction.
pub(crate) const CITED: usize = 6;
/// The most ids of one verdict.
pub(crate) const IDS: usize = 4;
/// The most things that are missing.
pub(crate) const MISSING: usize = 4;

/// How long an answer may be.
struct Room {
    verdicts: usize,
    cited: usize,
    ids: usize,
    missing: usize,
    /// Characters of a reason.
    reason: usize,
}

impl Room {
    /// A model that is shown little writes slowly, too: on a machine of its own every word is paid for in time.
    fn of(case: &Case<'_>) -> Self {
        if case.small {
            Self { verdicts: 2, cited: 3, ids: 2, missing: 1, reason: ASKED_REASON_SMALL }
        } else {
            Self { verdicts: VERDICTS, cited: CITED, ids: IDS, missing: MISSING, reason: ASKED_REASON }
        }
    }
}

/// The JSON schema of the answer.
pub(crate) fn answer(case: &Case<'_>) -> Json {
    let room = Room::of(case);
    let id = one_of(case.shown.iter().map(|id| id.0.as_str()));
    let classes = FaultClass::ALL.iter().map(|class| class.name());
    let actions = case.on_offer.iter().map(String::as_str).chain([WAIT]);
    let cited = |least: usize| {
        json!({
            "type": "array", "minItems": least, "maxItems": room.cited,
            "items": object(&[("evidence", id.clone()), ("why", text(room.reason))]),
        })
    };
    let ranks: Vec<usize> = (1..=case.ranks.clamp(1, room.verdicts)).collect();
    let verdict = object(&[
        ("about", json!({"type": "integer", "enum": ranks})),
        ("evidence", json!({"type": "array", "maxItems": room.ids, "items": id.clone()})),
        ("verdict", one_of(["keep", "reject"])),
        ("why", text(room.reason)),
    ]);
    object(&[
        ("assessment", json!({"type": "array", "maxItems": case.ranks.min(room.verdicts), "items": verdict})),
        (
            "cause",
            object(&[("class", one_of(classes)), ("locus", one_of(case.places.names().iter().map(String::as_str)))]),
        ),
        ("confidence", one_of(["low", "medium", "high"])),
        ("contradicting", cited(0)),
        ("missing", json!({"type": "array", "maxItems": room.missing, "items": text(room.reason)})),
        ("recommended_action", one_of(actions)),
        ("statement", text(ASKED_STATEMENT)),
        ("supporting", cited(usize::from(!case.shown.is_empty()))),
    ])
}

/// An object with exactly these members.
pub(crate) fn object(members: &[(&str, Json)]) -> Json {
    let names: Vec<&str> = members.iter().map(|(name, _)| *name).collect();
    let properties: serde_json::Map<String, Json> =
        members.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    json!({"type": "object", "additionalProperties": false, "required": names, "properties": properties})
}

/// One of these words; any text, if there is none.
pub(crate) fn one_of<'w>(words: impl IntoIterator<Item = &'w str>) -> Json {
    let words: Vec<&str> = words.into_iter().collect();
    if words.is_empty() { text(REASON) } else { json!({"type": "string", "enum": words}) }
}

/// Text of at most so many characters.
pub(crate) fn text(most: usize) -> Json {
    json!({"type": "string", "maxLength": most})
}
