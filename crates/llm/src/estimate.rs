//! How many tokens a text is at most, without the model's own dictionary.

use crate::{Message, Piece, Request};

/// Tokens around a message, a piece or a tool.
const AROUND: u64 = 16;
/// Tokens that a provider adds when tools are on offer.
const TOOLS: u64 = 600;

/// An estimate from above: tokenizers take words and punctuation several bytes at a time, but digits often one by one, and
/// evidence is full of numbers.
pub(crate) fn tokens(text: &str) -> u64 {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    (digits + (text.len() - digits).div_ceil(3)) as u64
}

/// What a request has a model read at most: its texts, and what a template puts around each.
pub(crate) fn request(request: &Request) -> u64 {
    let schemas = request.tools.iter().map(|tool| &tool.schema).chain(&request.schema);
    let mut sum = tokens(&request.system) + schemas.map(|schema| tokens(&schema.to_string())).sum::<u64>();
    for tool in &request.tools {
        sum += AROUND + tokens(&tool.name) + tokens(&tool.description);
    }
    for message in &request.messages {
        let (Message::User(pieces) | Message::Assistant(pieces)) = message;
        sum += AROUND;
        for piece in pieces {
            sum += AROUND
                + match piece {
                    Piece::Text { text, .. } => tokens(text),
                    Piece::ToolCall { id, name, arguments } => {
                        tokens(id) + tokens(name) + tokens(&arguments.to_string())
                    }
                    Piece::ToolResult { id, content, .. } => tokens(id) + tokens(content),
                    Piece::Sealed(block) => tokens(&block.to_string()),
                };
        }
    }
    // Tools bring instructions of the provider's own with them.
    sum + if request.tools.is_empty() { AROUND } else { TOOLS }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_count_one_by_one() {
        assert_eq!(tokens(""), 0);
        assert_eq!(tokens("abc"), 1);
        assert_eq!(tokens("12345678"), 8);
    }
}
