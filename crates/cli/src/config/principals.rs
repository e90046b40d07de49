//! Who may ask for what, from the `[[principal]]`s.

use operator_core::Role;
use operator_core::control::{PeerConfig, Principals, PrincipalsConfig, TokenConfig};

use crate::config::document::{Document, Given, Table};
use crate::config::subjects::text;
use crate::config::{ConfigError, Origin};

/// Reads the `[[principal]]`s. Tokens are read when the operator starts, and checked then.
pub(super) fn read(document: &Document) -> Result<PrincipalsConfig, ConfigError> {
    let mut config = PrincipalsConfig::default();
    // Where the n-th peer and the n-th token stand in the file.
    let (mut peers, mut tokens) = (Vec::new(), Vec::new());
    for (i, table) in document.principals.iter().enumerate() {
        let at = format!("principal[{i}]");
        let name = text(table, &at, "name")?.ok_or_else(|| missing(table, &at, "name"))?;
        let role = role(table, &at)?;
        let subjects = names(table, &at)?;
        let (token_file, token_env) = (text(table, &at, "token_file")?, text(table, &at, "token_env")?);
        match (table.get("uid"), token_file.is_some() || token_env.is_some()) {
            (Some(given), false) => {
                let uid = given.value.as_integer().and_then(|n| u32::try_from(n).ok()).ok_or_else(|| {
                    let why = "expected a user id: a whole number that is not negative";
                    ConfigError::value(&given.origin, format!("{at}.uid"), why)
                })?;
                config.peers.push(PeerConfig { uid, name, role, subjects });
                peers.push(i);
            }
            (None, true) => {
                let subjects = subjects.ok_or_else(|| missing(table, &at, "subjects"))?;
                let token_file = token_file.map(Into::into);
                config.tokens.push(TokenConfig { name, role, subjects, token_file, token_env });
                tokens.push(i);
            }
            _ => {
                let why = "expected either uid or one of token_file and token_env";
                return Err(ConfigError::value(&origin(table), at, why));
            }
        }
    }
    check_peers(&config, &peers, document)?;
    Ok(config)
}

/// What the socket's own check says of the users; tokens are not there to be checked before the operator starts.
fn check_peers(config: &PrincipalsConfig, stand_at: &[usize], document: &Document) -> Result<(), ConfigError> {
    let without_tokens = PrincipalsConfig { peers: config.peers.clone(), tokens: Vec::new() };
    let Err(error) = Principals::new(&without_tokens, 0, &|_| None) else { return Ok(()) };
    let inside = error.field.strip_prefix("peers[").and_then(|rest| rest.split_once("]."));
    let place = inside.and_then(|(n, key)| Some((*stand_at.get(n.parse::<usize>().ok()?)?, key)));
    let (key, origin) = match place {
        Some((i, key)) => (format!("principal[{i}].{key}"), document.principals.get(i).map_or(Origin::Default, origin)),
        None => (error.field.clone(), Origin::Default),
    };
    Err(ConfigError::value(&origin, key, error.why))
}

fn role(table: &Table, at: &str) -> Result<Role, ConfigError> {
    match text(table, at, "role")?.ok_or_else(|| missing(table, at, "role"))?.as_str() {
        "viewer" => Ok(Role::Viewer),
        "operator" => Ok(Role::Operator),
        "approver" => Ok(Role::Approver),
        "admin" => Ok(Role::Admin),
        other => {
            let why = format!("expected viewer, operator, approver or admin, found {other:?}");
            Err(ConfigError::value(&origin(table), format!("{at}.role"), why))
        }
    }
}

fn names(table: &Table, at: &str) -> Result<Option<Vec<String>>, ConfigError> {
    let Some(Given { value, origin }) = table.get("subjects") else { return Ok(None) };
    let names = value
        .as_array()
        .and_then(|list| list.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>());
    let wrong = || ConfigError::value(origin, format!("{at}.subjects"), "expected a list of names in quotes");
    names.ok_or_else(wrong).map(Some)
}

fn missing(table: &Table, at: &str, key: &str) -> ConfigError {
    ConfigError::value(&origin(table), format!("{at}.{key}"), "it is missing")
}

fn origin(table: &Table) -> Origin {
    table.values().next().map_or(Origin::Default, |given| given.origin.clone())
}
