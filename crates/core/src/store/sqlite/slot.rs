//! Which executions a late request may still belong to, in SQL.

use rusqlite::{Connection, OptionalExtension, params};

use crate::store::KillScope;
use crate::store::sqlite::trouble::Trouble;

/// The states for which [`ExecutionState::holds_slot`](crate::ExecutionState::holds_slot) is true, as a list.
const HOLDING: &str = "('dispatched', 'unknown', 'running', 'unsettled')";

/// The other intent that holds `slot`, if one does.
pub(super) fn holder(connection: &Connection, slot: &str, besides: &str) -> Result<Option<String>, Trouble> {
    let sql = format!("SELECT id FROM intent WHERE slot = ?1 AND id <> ?2 AND state IN {HOLDING}");
    Ok(connection.query_row(&sql, params![slot, besides], |row| row.get(0)).optional()?)
}

/// How many other intents hold slots in `subject`.
pub(super) fn in_flight(connection: &Connection, subject: &str, besides: &str) -> Result<i64, Trouble> {
    let sql = format!("SELECT count(*) FROM intent WHERE subject = ?1 AND id <> ?2 AND state IN {HOLDING}");
    Ok(connection.query_row(&sql, params![subject, besides], |row| row.get(0))?)
}

/// The intents that hold slots within `scope`, oldest first.
pub(super) fn in_flight_within(connection: &Connection, scope: &KillScope) -> Result<Vec<String>, Trouble> {
    let subject = match scope {
        KillScope::Global => None,
        KillScope::Subject(name) => Some(name),
    };
    let sql = format!("SELECT id FROM intent WHERE (?1 IS NULL OR subject = ?1) AND state IN {HOLDING} ORDER BY seq");
    let mut select = connection.prepare(&sql)?;
    let ids = select.query_map(params![subject], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(ids)
}

#[cfg(test)]
mod tests {
    use super::HOLDING;
    use crate::ExecutionState;

    #[test]
    fn the_list_and_the_schema_name_the_states_that_hold_a_slot_and_those_that_are_terminal() {
        let list = |of: fn(ExecutionState) -> bool| -> Vec<&str> {
            let mut names: Vec<_> =
                ExecutionState::ALL.iter().filter(|state| of(**state)).map(|state| state.name()).collect();
            names.sort_unstable();
            names
        };
        let parse = |text: &str| -> Vec<String> {
            let inner = text.split_once('(').unwrap().1.split_once(')').unwrap().0;
            let mut names: Vec<_> = inner.split(", ").map(|name| name.trim_matches('\'').to_owned()).collect();
            names.sort_unstable();
            names
        };
        assert_eq!(parse(HOLDING), list(ExecutionState::holds_slot));
        let schema = include_str!("migrations/0001_initial.sql");
        let after = |start: &str| schema.split_once(start).unwrap().1;
        assert_eq!(parse(after("WHERE state IN")), list(ExecutionState::holds_slot));
        assert_eq!(parse(after("WHEN OLD.state IN")), list(ExecutionState::terminal));
        assert_eq!(parse(after("WHERE state NOT IN")), list(ExecutionState::terminal));
    }
}
