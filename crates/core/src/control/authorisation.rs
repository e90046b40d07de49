//! Whether somebody may ask for this, and of which subject: deny by default.

use crate::Role;
use crate::control::{ControlRequest, Fault, FaultCode, Grant, SubjectScope};
use crate::store::KillScope;

/// The longest reason, in bytes: it is shown on one screen and stands in the audit for ever.
const REASON_BYTES: usize = 4096;

impl ControlRequest {
    /// The least role that may ask for this.
    pub fn required_role(&self) -> Role {
        match self {
            Self::Command { command } => command.required_role(),
            Self::KillEngage { .. } => Role::Operator,
            Self::KillRelease { .. } => Role::Admin,
            Self::Query { .. } | Self::KillStatus {} | Self::Ping {} | Self::Status {} => Role::Viewer,
        }
    }
}

/// Checks role, subject and reason. Returns the subject that a command is for.
///
/// `known` are the subjects being watched, `named` is the one that was named.
pub(super) fn authorise(
    grant: &Grant,
    request: &ControlRequest,
    named: Option<&str>,
    known: &[String],
) -> Result<Option<String>, Fault> {
    let needs = request.required_role();
    if !grant.principal.may(needs) {
        let (who, has) = (&grant.principal.name, role_name(grant.principal.role));
        let message = format!("{who} has the role {has}; this needs {}", role_name(needs));
        return Err(Fault::new(FaultCode::Forbidden, message));
    }
    match request {
        ControlRequest::Command { .. } | ControlRequest::Query { .. } => one_subject(grant, named, known).map(Some),
        ControlRequest::KillEngage { scope, reason } => {
            check_scope(grant, scope, known)?;
            check_reason(reason, false)?;
            Ok(None)
        }
        ControlRequest::KillRelease { scope, reason } => {
            check_scope(grant, scope, known)?;
            check_reason(reason, true)?;
            Ok(None)
        }
        ControlRequest::KillStatus {} | ControlRequest::Ping {} | ControlRequest::Status {} => Ok(None),
    }
}

/// Whether somebody may see the switch of `scope`: what stops everything is everybody's concern.
pub(super) fn may_see(grant: &Grant, scope: &KillScope) -> bool {
    match scope {
        KillScope::Global => true,
        KillScope::Subject(name) => grant.subjects.covers(name),
    }
}

fn one_subject(grant: &Grant, named: Option<&str>, known: &[String]) -> Result<String, Fault> {
    let theirs = grant.subjects.among(known);
    match (named, theirs.as_slice()) {
        (Some(name), _) => check_subject(grant, name, known).map(|()| name.to_owned()),
        (None, [only]) => Ok(only.clone()),
        (None, []) => Err(Fault::new(FaultCode::NotFound, "no subject that you may command is being watched")),
        (None, several) => Err(Fault::new(FaultCode::Invalid, format!("subject: name one of {}", several.join(", ")))),
    }
}

fn check_subject(grant: &Grant, name: &str, known: &[String]) -> Result<(), Fault> {
    let theirs = grant.subjects.among(known);
    if theirs.iter().any(|subject| subject == name) {
        return Ok(());
    }
    // Whoever may not see a subject learns nothing of it, not even that it exists.
    let shown: String = name.chars().take(80).collect();
    let there =
        if theirs.is_empty() { "there is none for you".to_owned() } else { format!("there is {}", theirs.join(", ")) };
    Err(Fault::new(
        FaultCode::NotFound,
        format!("no subject {shown:?} that you may ask about is being watched; {there}"),
    ))
}

fn check_scope(grant: &Grant, scope: &KillScope, known: &[String]) -> Result<(), Fault> {
    match scope {
        KillScope::Subject(name) => check_subject(grant, name, known),
        KillScope::Global if grant.subjects == SubjectScope::All => Ok(()),
        KillScope::Global => {
            let who = &grant.principal.name;
            let message = format!("{who} may act on some subjects only; the global kill switch is for who may on all");
            Err(Fault::new(FaultCode::Forbidden, message))
        }
    }
}

fn check_reason(reason: &str, needed: bool) -> Result<(), Fault> {
    if reason.len() > REASON_BYTES {
        return Err(Fault::new(FaultCode::Invalid, format!("reason: expected at most {REASON_BYTES} bytes")));
    }
    if needed && reason.trim().is_empty() {
        return Err(Fault::new(FaultCode::Invalid, "reason: expected why it is safe to act again"));
    }
    Ok(())
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::Viewer => "viewer",
        Role::Operator => "operator",
        Role::Approver => "approver",
        Role::Admin => "admin",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use operator_protocols::Locus;

    use super::*;
    use crate::{Command, Identity, Principal};

    const ROLES: [Role; 4] = [Role::Viewer, Role::Operator, Role::Approver, Role::Admin];

    fn grant(role: Role, subjects: &[&str]) -> Grant {
        let principal = Principal { name: "ann".into(), role, identity: Identity::Token };
        let subjects = match subjects {
            ["*"] => SubjectScope::All,
            names => SubjectScope::Only(names.iter().map(|name| (*name).to_owned()).collect()),
        };
        Grant { principal, subjects }
    }

    fn known() -> Vec<String> {
        vec!["a".into(), "b".into()]
    }

    fn text(text: &str) -> String {
        text.to_owned()
    }

    /// Every request there is, with the least role that may ask for it.
    fn table() -> Vec<(ControlRequest, Role)> {
        let (ticket, intent, reason) = (text("a-T1"), text("a-A1"), text("because"));
        let commands = [
            (Command::Acknowledge { ticket: ticket.clone() }, Role::Operator),
            (Command::Hold { ticket: ticket.clone(), hold: true }, Role::Operator),
            (Command::Resolve { ticket: ticket.clone(), reason: reason.clone() }, Role::Operator),
            (Command::HandBack { ticket, reason: reason.clone() }, Role::Operator),
            (
                Command::Decide { intent: intent.clone(), bind_hash: text("0"), approve: true, reason: reason.clone() },
                Role::Approver,
            ),
            (Command::Cancel { intent: intent.clone(), reason: reason.clone() }, Role::Operator),
            (Command::Settle { intent, happened: false, reason: reason.clone() }, Role::Admin),
            (
                Command::Request {
                    action: text("wait"),
                    target: Locus::Nothing,
                    params: BTreeMap::new(),
                    reason: reason.clone(),
                },
                Role::Operator,
            ),
            (Command::SetMode { mode: text("auto"), reason: reason.clone() }, Role::Admin),
            (Command::Diagnose { incident: text("a-I1") }, Role::Operator),
            (Command::Mark { ticket: text("a-T1"), wrong: true, cause: None, note: reason.clone() }, Role::Operator),
            (Command::Unmark { ticket: text("a-T1"), note: reason.clone() }, Role::Operator),
            (Command::AnswerTooLarge { incident: text("a-I1"), bytes: 1 }, Role::Operator),
        ];
        let mut table: Vec<_> =
            commands.into_iter().map(|(command, role)| (ControlRequest::Command { command }, role)).collect();
        let scope = KillScope::Subject(text("a"));
        table.push((ControlRequest::KillEngage { scope: scope.clone(), reason: reason.clone() }, Role::Operator));
        table.push((ControlRequest::KillRelease { scope, reason }, Role::Admin));
        let query = crate::agent::Query::Cases {};
        table.push((ControlRequest::Query { query }, Role::Viewer));
        table.push((ControlRequest::KillStatus {}, Role::Viewer));
        table.push((ControlRequest::Ping {}, Role::Viewer));
        table.push((ControlRequest::Status {}, Role::Viewer));
        table
    }

    #[test]
    fn every_role_may_ask_for_what_the_table_says_and_for_nothing_more() {
        for (request, least) in table() {
            for role in ROLES {
                let outcome = authorise(&grant(role, &["a"]), &request, Some("a"), &known());
                assert_eq!(outcome.is_ok(), role >= least, "{role:?} asks for {request:?}: {outcome:?}");
                if let Err(fault) = outcome {
                    assert_eq!(fault.code, FaultCode::Forbidden);
                }
            }
        }
    }

    #[test]
    fn a_subject_that_is_not_covered_is_as_unknown_as_one_that_does_not_exist() {
        let (command, _) = table().swap_remove(0);
        let theirs = grant(Role::Admin, &["a"]);
        let other = authorise(&theirs, &command, Some("b"), &known()).expect_err("not theirs");
        let none = authorise(&theirs, &command, Some("c"), &known()).expect_err("not there");
        assert_eq!(other.message.replace("\"b\"", "_"), none.message.replace("\"c\"", "_"));
        assert!(other.message.ends_with("there is a"), "{other}");
        assert_eq!(authorise(&theirs, &command, None, &known()), Ok(Some(text("a"))));
        let both = authorise(&grant(Role::Admin, &["*"]), &command, None, &known()).expect_err("which one?");
        assert_eq!(both.message, "subject: name one of a, b");
    }

    #[test]
    fn who_may_act_on_some_subjects_stops_and_releases_only_those() {
        let reason = text("drill");
        for scope in [KillScope::Global, KillScope::Subject(text("b"))] {
            let engage = ControlRequest::KillEngage { scope: scope.clone(), reason: reason.clone() };
            let release = ControlRequest::KillRelease { scope, reason: reason.clone() };
            for request in [engage, release] {
                assert!(authorise(&grant(Role::Admin, &["a"]), &request, None, &known()).is_err(), "{request:?}");
                assert_eq!(authorise(&grant(Role::Admin, &["*"]), &request, None, &known()), Ok(None));
            }
        }
    }

    #[test]
    fn a_release_needs_a_reason_and_no_reason_is_endless() {
        let ask = |request| authorise(&grant(Role::Admin, &["*"]), &request, None, &known());
        let release = |reason: &str| ControlRequest::KillRelease { scope: KillScope::Global, reason: reason.into() };
        assert!(ask(release(" \n")).is_err_and(|fault| fault.message.starts_with("reason: ")));
        assert!(ask(release(&"x".repeat(REASON_BYTES + 1))).is_err());
        assert!(ask(ControlRequest::KillEngage { scope: KillScope::Global, reason: String::new() }).is_ok());
    }
}
