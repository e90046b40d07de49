//! What a model said in one turn: the calls in it, and what of it is shown again.

use serde_json::Value as Json;

use crate::bounds::{ANSWER_BYTES, ECHO_BYTES, head, is_modest};
use crate::provider::{Message, Piece, Reply};
use crate::text_call;
use crate::tools::SUBMIT;

/// The member by which a bare answer is known.
const MARK: &str = "cause";
/// The longest id of a call, in bytes.
const ID_BYTES: usize = 256;

/// A call of a tool, however it was written.
pub(crate) struct Call {
    /// The id of a call in the wire form; none for one written as text.
    pub id: Option<String>,
    pub name: String,
    pub arguments: Json,
}

/// The calls of a reply: in the wire form, or else one that was written as text.
pub(crate) fn calls(reply: &Reply) -> Vec<Call> {
    let mut calls: Vec<Call> = Vec::new();
    let mut words = String::new();
    for piece in &reply.pieces {
        match piece {
            Piece::ToolCall { id, name, arguments } => {
                let arguments = if is_modest(arguments) { arguments.clone() } else { Json::Null };
                calls.push(Call {
                    id: Some(head(id, ID_BYTES).to_owned()),
                    name: head(name, 64).to_owned(),
                    arguments,
                });
            }
            Piece::Text { text, .. } if words.len() < ANSWER_BYTES => words.push_str(head(text, ANSWER_BYTES)),
            Piece::Text { .. } | Piece::ToolResult { .. } | Piece::Sealed(_) => {}
        }
    }
    if calls.is_empty()
        && let Some(call) = text_call::read(&words, SUBMIT, MARK)
    {
        calls.push(Call { id: None, name: call.name, arguments: call.arguments });
    }
    calls
}

/// What a model is shown again of its own reply: bounded, and with every sealed block as it came.
pub(crate) fn echo(reply: &Reply) -> Message {
    let mut shown: Vec<Piece> = reply
        .pieces
        .iter()
        .filter_map(|piece| match piece {
            Piece::Text { text, .. } if text.trim().is_empty() => None,
            Piece::Text { text, .. } => {
                Some(Piece::Text { text: head(text.trim(), ECHO_BYTES).to_owned(), cache: false })
            }
            Piece::ToolCall { id, name, arguments } => {
                let fits = is_modest(arguments) && arguments.is_object();
                let arguments = if fits { arguments.clone() } else { Json::Object(serde_json::Map::new()) };
                Some(Piece::ToolCall { id: head(id, ID_BYTES).to_owned(), name: head(name, 64).to_owned(), arguments })
            }
            Piece::Sealed(block) => Some(Piece::Sealed(block.clone())),
            Piece::ToolResult { .. } => None,
        })
        .collect();
    if shown.is_empty() {
        shown.push(Piece::Text { text: "…".to_owned(), cache: false });
    }
    Message::Assistant(shown)
}
