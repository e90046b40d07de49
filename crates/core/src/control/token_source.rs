//! Where a token is read from: a file or an environment variable, never the configuration itself.

use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::control::principals::wrong;
use crate::control::{PrincipalsError, Token, TokenConfig};

/// Shorter tokens can be guessed.
const SHORTEST_TOKEN: usize = 16;
const LONGEST_TOKEN: usize = 1024;

/// Reads the token of one entry. `field` makes the name of a key of it.
pub(super) fn read_token(
    config: &TokenConfig,
    env: &dyn Fn(&str) -> Option<String>,
    field: &impl Fn(&str) -> String,
) -> Result<Token, PrincipalsError> {
    let (key, text) = match (&config.token_file, &config.token_env) {
        (Some(path), None) => {
            let read = read_token_file(path);
            (field("token_file"), read.map_err(|why| wrong(field("token_file"), format!("{}: {why}", path.display())))?)
        }
        (None, Some(name)) => {
            let unset = || wrong(field("token_env"), format!("the environment variable {name} is not set"));
            (field("token_env"), env(name).ok_or_else(unset)?)
        }
        _ => return Err(wrong(field("token_file"), "expected exactly one of token_file and token_env".into())),
    };
    let text = text.trim_end();
    let printable = text.bytes().all(|byte| byte.is_ascii_graphic());
    if !printable || !(SHORTEST_TOKEN..=LONGEST_TOKEN).contains(&text.len()) {
        let right = format!("expected a token of {SHORTEST_TOKEN} to {LONGEST_TOKEN} printable ASCII characters");
        return Err(wrong(key, right));
    }
    Ok(Token::new(text))
}

fn read_token_file(path: &Path) -> Result<String, String> {
    let metadata = path.metadata().map_err(|error| error.to_string())?;
    if !metadata.is_file() {
        return Err("it is not a regular file".to_owned());
    }
    if metadata.permissions().mode() & 0o007 != 0 {
        tracing::warn!(path = %path.display(), "every user of this host may read or write this token: chmod 600");
    }
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    // One more than fits, and a line break: longer files are refused by their length.
    file.take(LONGEST_TOKEN as u64 + 3).read_to_string(&mut text).map_err(|error| error.to_string())?;
    Ok(text)
}
