//! `[[dependency]]`: who calls or needs whom.

use super::keys::Keys;
use super::{Component, FileError, nearest, once};
use crate::limits;

/// A dependency.
#[derive(Debug, Clone)]
pub(crate) struct Dependency {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) kind: String,
    /// The signal on this edge that is 0 while it carries nothing.
    pub(crate) up: Option<String>,
}

pub(super) const KEYS: [&str; 4] = ["from", "to", "kind", "up"];

pub(super) fn read(file: &Keys<'_>, components: &[Component]) -> Result<Vec<Dependency>, FileError> {
    let tables = file.tables("dependency", limits::DEPENDENCIES, &KEYS)?;
    let dependencies = tables.iter().map(|keys| one(keys, components)).collect::<Result<Vec<_>, _>>()?;
    let names = dependencies.iter().map(|link| format!("{} from {} to {}", link.kind, link.from, link.to));
    once(file, "dependency", names)?;
    Ok(dependencies)
}

fn one(keys: &Keys<'_>, components: &[Component]) -> Result<Dependency, FileError> {
    let end = |key: &str| -> Result<String, FileError> {
        let name = keys.text(key)?.ok_or_else(|| keys.missing(key, "the name of a component"))?;
        let names: Vec<_> = components.iter().map(|component| component.name.as_str()).collect();
        if names.contains(&name) {
            return Ok(name.to_owned());
        }
        Err(keys.error(key, format!("there is no component {name:?}; {}", nearest(name, &names))))
    };
    let (from, to) = (end("from")?, end("to")?);
    if from == to {
        return Err(keys.error("to", "a component does not depend on itself"));
    }
    let kind = keys.name("kind")?.ok_or_else(|| keys.missing("kind", "what the link is for, like sql"))?;
    Ok(Dependency { from, to, kind: kind.to_owned(), up: keys.text("up")?.map(str::to_owned) })
}
