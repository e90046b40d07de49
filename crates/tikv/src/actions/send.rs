//! Sending: one request to PD, once, and what its answer proves. That PD took it does not mean that it is done.

use std::time::Duration;

use operator_protocols::{Sent, Timestamp};
use tokio::time::timeout;

use super::context::Context;
use super::pd_action::Patience;
use super::write::Write;
use crate::pd::PdError;

/// What PD says with status 500 when it looked at a request and left everything as it was (`server/handler.go`,
/// `pkg/errs/errno.go`). With any other error of its own, something may have been written before.
const WITHOUT_EFFECT: [&str; 10] = [
    "ErrAddOperator",
    "ErrOperatorNotFound",
    "ErrRegionNotFound",
    "ErrRegionNotAdjacent",
    "ErrRegionAbnormalPeer",
    "ErrStoreNotFound",
    "ErrStoreUnhealthy",
    "has no voter in store",
    "already exist",
    "no valid pd to transfer etcd leader",
];

pub(super) async fn send(
    context: &Context<'_>,
    write: &Write,
    patience: Patience,
    at: Timestamp,
    intent: &str,
    limit: Duration,
) -> Sent {
    let call = write.call(intent);
    match timeout(limit, context.pd.send(&call)).await {
        Ok(Ok(_)) => Sent::Accepted { poll: patience.poll, deadline: at.plus(patience.deadline) },
        Ok(Err(error)) => proved(&error),
        Err(_) => Sent::Unknown(format!("PD did not answer within {limit:?}")),
    }
}

/// What an error proves of the request.
fn proved(error: &PdError) -> Sent {
    match error {
        error if error.is_unsent() => Sent::NotSent(error.to_string()),
        PdError::Refused { .. } | PdError::RateLimited | PdError::NotBootstrapped => Sent::NoEffect(error.to_string()),
        PdError::Failed { body, .. } if WITHOUT_EFFECT.iter().any(|known| body.contains(known)) => {
            Sent::NoEffect(error.to_string())
        }
        _ => Sent::Unknown(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_provably_did_nothing_is_without_effect() {
        let failed = |body: &str| PdError::Failed { status: 500, body: body.to_owned() };
        let down =
            PdError::ControlPlaneUnavailable { member: "pd-0".into(), status: 500, body: "redirect failed".into() };
        let late = PdError::Timeout { member: "pd-0".into(), why: "5 s".into() };
        let unsent = PdError::NotSent { member: "pd-0".into(), why: "refused".into(), refused: true };
        for (error, no_effect) in [
            (failed("[PD:operator:ErrAddOperator]failed to add operator, maybe already have one"), true),
            (failed("region has no voter in store 999"), true),
            (failed("no valid pd to transfer etcd leader"), true),
            (failed("[PD:etcd:ErrEtcdTxnInternal]internal etcd transaction error occurred"), false),
            (PdError::Refused { status: 400, body: "missing region id".into() }, true),
            (PdError::Refused { status: 404, body: String::new() }, true),
            (PdError::RateLimited, true),
            (down, false),
            (late, false),
        ] {
            let sent = proved(&error);
            assert_eq!(matches!(sent, Sent::NoEffect(_)), no_effect, "{error}: {sent:?}");
            assert!(no_effect || matches!(sent, Sent::Unknown(_)), "{error}: {sent:?}");
        }
        assert!(matches!(proved(&unsent), Sent::NotSent(_)));
    }
}
