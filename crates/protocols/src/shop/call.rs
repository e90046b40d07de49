//! One call from one process to another, from when it is sent to when its caller has its answer.

use super::lanes::Job;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A shopper looks at something.
    Browse,
    /// A shopper buys something.
    Buy { lane: usize, item: usize },
    /// A front places an order.
    PlaceOrder { lane: usize, item: usize },
    /// A front sees whether a drained replica would do: everything an order does, but nothing is ordered.
    DryRun,
    /// Something is looked up in the catalog.
    Lookup,
    /// A job is put into a lane.
    Put { lane: usize },
    /// The queue is asked whether it is there.
    Ping,
    /// A packer wants a job.
    Take,
}

impl Purpose {
    /// How long its caller waits for an answer, in microseconds.
    pub(super) const fn patience(self) -> i64 {
        match self {
            Self::Browse | Self::Buy { .. } => 10_000_000,
            Self::PlaceOrder { .. } | Self::DryRun => 3_000_000,
            Self::Lookup | Self::Put { .. } | Self::Ping | Self::Take => 1_000_000,
        }
    }
}

/// Why a call failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// Nothing listens there, or what did has ended.
    Refused,
    /// No answer in time.
    TimedOut,
    /// It answered that it cannot take more.
    Full,
    /// It answered that something it needs failed.
    Failed,
}

impl Failure {
    /// Whether the other side answered at all.
    pub(super) const fn reached(self) -> bool {
        matches!(self, Self::Full | Self::Failed)
    }

    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Refused => "connection refused",
            Self::TimedOut => "no answer in time",
            Self::Full => "it can take no more",
            Self::Failed => "it answered with an error",
        }
    }
}

/// What came back.
pub(super) type Answer = Result<Option<Job>, Failure>;

#[derive(Debug, Clone)]
pub(super) struct Call {
    /// Who called: a shopper, if none.
    pub(super) from: Option<usize>,
    pub(super) to: usize,
    /// The call within which it was made.
    pub(super) parent: Option<u64>,
    pub(super) purpose: Purpose,
    pub(super) sent: i64,
    pub(super) arrived: Option<i64>,
    /// It is being worked on: it holds one of the callee's slots.
    pub(super) in_slot: bool,
    /// How many of the calls it makes in turn are done.
    pub(super) step: u8,
    /// It was tried elsewhere already.
    pub(super) retried: bool,
    /// Nobody waits for it any more.
    pub(super) given_up: bool,
}
