//! What the two actions on processes share: the driver, and what PD says of whose process it is.

use operator_protocols::{Driver, DriverError, Id, ProcessStatus, Receipt, Sent, Unavailable};
use tokio::time::timeout;

use super::context::Context;
use super::verdict::{Refusal, Verdict, facts};
use crate::names;

/// What a component is to the process actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role<'a> {
    Store(u64),
    Member(&'a str),
    Prometheus,
}

/// What a component is, by its name.
pub(super) fn role(name: &str) -> Role<'_> {
    match names::store_id(name) {
        Some(id) => Role::Store(id),
        None if name == names::PROMETHEUS => Role::Prometheus,
        None => Role::Member(name),
    }
}

/// What the driver says of the process.
pub(super) async fn status(driver: &dyn Driver, id: &Id) -> Verdict<ProcessStatus> {
    match timeout(super::READING, driver.status(id)).await {
        Ok(Ok(status)) => Ok(status),
        Ok(Err(DriverError::NoSuchComponent(_))) => Err(Refusal::no(format!("the driver knows no component {id}"))),
        Ok(Err(error)) => Err(Refusal::Unknown(Unavailable::new(format!("the process of {id}"), error.to_string()))),
        Err(_) => Err(Refusal::unknown(format!("the process of {id}"), "the driver did not answer in time")),
    }
}

/// The driver that can do it.
pub(super) fn driver<'a>(context: &'a Context<'_>) -> Verdict<&'a dyn Driver> {
    context.driver.map(|driver| &**driver).ok_or_else(|| Refusal::no("there is no driver"))
}

/// What a driver's refusal says of the send.
pub(super) fn refused(error: &DriverError) -> Sent {
    match error {
        DriverError::Unknown(_) => Sent::Unknown(error.to_string()),
        _ => Sent::NoEffect(error.to_string()),
    }
}

pub(super) fn receipt(summary: &str, status: &ProcessStatus) -> Receipt {
    let facts = facts([("running", status.running.into()), ("incarnation", status.incarnation.clone().into())]);
    Receipt { summary: summary.to_owned(), facts }
}
