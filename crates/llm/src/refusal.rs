//! What a server says when it gives no answer, in the shape of either wire format.

use serde_json::Value as Json;

use crate::ProviderError;

/// The most characters of what a server says of an error.
const WHY: usize = 300;

/// What a status other than success means.
pub(crate) fn of_status(status: u16, retry_after_ms: Option<u64>, text: &str) -> ProviderError {
    let said = serde_json::from_str::<Json>(text)
        .ok()
        .and_then(|json| said(&json))
        .map(|(kind, said)| if kind.is_empty() { said } else { format!("{kind}: {said}") });
    let why = said.unwrap_or_else(|| text.to_owned());
    match status {
        300..=399 => ProviderError::Refused {
            status,
            why: "it redirects, and redirects are not followed; mend base_url".to_owned(),
        },
        429 | 503 | 529 => ProviderError::Busy { status, why, retry_after_ms },
        500..=599 => ProviderError::Failed { status, why },
        _ => ProviderError::Refused { status, why },
    }
}

/// What an error in place of a message, or in the middle of a stream, means.
pub(crate) fn of_stream(status: u16, json: &Json) -> ProviderError {
    let (kind, said) = said(json).unwrap_or_else(|| (String::new(), json.to_string()));
    let why = format!("{kind}: {said}");
    match &*kind {
        "overloaded_error" => ProviderError::Busy { status: 529, why, retry_after_ms: None },
        "rate_limit_error" | "rate_limit_exceeded" => ProviderError::Busy { status: 429, why, retry_after_ms: None },
        "invalid_request_error" | "authentication_error" | "permission_error" | "not_found_error" => {
            ProviderError::Refused { status, why }
        }
        _ => ProviderError::Failed { status, why },
    }
}

/// The kind of an error and what is said of it, in either wire format's shape.
fn said(json: &Json) -> Option<(String, String)> {
    let error = json.get("error")?;
    if let Some(said) = error.as_str() {
        return Some((String::new(), said.to_owned()));
    }
    let text = |name: &str| error.get(name).and_then(Json::as_str).filter(|text| !text.is_empty());
    let kind = text("code").or_else(|| text("type")).unwrap_or_default();
    Some((kind.to_owned(), text("message").unwrap_or_default().to_owned()))
}

/// What was said, on one line and cut.
pub(crate) fn short(text: &str) -> String {
    let mut short: String =
        text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(WHY).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
