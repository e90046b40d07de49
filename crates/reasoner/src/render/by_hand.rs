//! The commands with which a person checks a diagnosis: only from our own code and from names that a shell takes for
//! nothing but names.

use operator_protocols::{Locus, ProbeDefinition};

use super::escape::{code, inline};
use crate::Diagnosis;

/// How many questions to the subject are worth a line.
const QUESTIONS: usize = 8;
/// The longest word of a command, in bytes.
const WORD: usize = 120;

/// What to paste, each with what it tells.
pub(super) fn commands(diagnosis: &Diagnosis, probes: &[ProbeDefinition]) -> Vec<String> {
    let mut lines: Vec<String> =
        diagnosis.commands.iter().filter(|command| is_harmless(command)).map(|command| code(command)).collect();
    let Some(subject) = word(&diagnosis.subject) else { return lines };
    lines.push(format!("{}: what is violated right now", code(&format!("operator check --subject {subject}"))));
    let about = target(diagnosis);
    for probe in probes.iter().filter(|probe| probe.params.iter().all(|param| param.default.is_some())).take(QUESTIONS)
    {
        let Some(name) = word(&probe.name) else { continue };
        let about = about.as_ref().map(|about| format!(" {about}")).unwrap_or_default();
        let command = format!("operator explain {name}{about} --subject {subject}");
        lines.push(format!("{}: {}", code(&command), inline(&probe.description)));
    }
    lines
}

/// What the questions are put about: what the diagnosis names, or else the first thing affected.
fn target(diagnosis: &Diagnosis) -> Option<String> {
    let candidates = std::iter::once(&diagnosis.primary.locus).chain(&diagnosis.affected);
    candidates
        .filter_map(|locus| match locus {
            Locus::Component(id) | Locus::Edge(id, _) => {
                word(&id.local).or_else(|| word(&format!("component:{}", id.local)))
            }
            Locus::Entity(_) => word(&locus.to_text()),
            Locus::Group(_) | Locus::Change(_) | Locus::Nothing => None,
        })
        .next()
}

/// `text` as one word of a command, quoted where it must be; none, if it cannot be made one that is harmless.
fn word(text: &str) -> Option<String> {
    if text.is_empty() || text.len() > WORD || text.starts_with('-') {
        return None;
    }
    if text.chars().all(is_plain) {
        return Some(text.to_owned());
    }
    // Within single quotes a shell reads everything but a single quote as it stands; what is not printable ASCII is
    // left out, because nobody sees what they paste.
    (text.chars().all(|c| c == ' ' || c.is_ascii_graphic()) && !text.contains(['\'', '`', '!']))
        .then(|| format!("'{text}'"))
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '/' | '=' | '@' | ',')
}

/// Whether a command of the diagnosis is nothing but words: a model, or a name, must not be able to make it more.
fn is_harmless(command: &str) -> bool {
    command.len() <= 400 && command.starts_with("operator ") && command.chars().all(|c| c == ' ' || is_plain(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_one_word_to_a_shell_or_nothing() {
        assert_eq!(word("api-1").as_deref(), Some("api-1"));
        assert_eq!(word("entity:item:a b").as_deref(), Some("'entity:item:a b'"));
        assert_eq!(word("entity:item:$(reboot)").as_deref(), Some("'entity:item:$(reboot)'"));
        for none in ["", "-rf", "it's", "a\nb", "a\u{202e}b", "`x`", "é"] {
            assert_eq!(word(none), None, "{none:?}");
        }
    }

    #[test]
    fn a_command_that_is_more_than_words_is_not_shown() {
        assert!(is_harmless("operator actions plan --incident shop-I1"));
        for command in
            ["rm -rf /", "operator x; rm -rf /", "operator $(x)", "operator x\nrm", "operator `x`", "operator x > y"]
        {
            assert!(!is_harmless(command), "{command}");
        }
    }
}
