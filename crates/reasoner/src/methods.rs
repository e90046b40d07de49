//! Which methods the reasoner uses: all of them, but where it is measured what one of them pays.

/// A method, named for what it reads out of the evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// The least scale that a deviation is measured in, whatever the past was like.
    NoiseFloor,
    /// The tails of the past widen the scale of a deviation.
    TailDeviation,
    /// Excess less the excess of what is called.
    FlowConservation,
    /// Kinds of log lines that became more frequent.
    LogTemplates,
    /// The lines that a request writes together.
    RequestSteps,
    /// What happened before the onset.
    Events,
    /// Who alone of its kind differs.
    Peers,
    /// Accounts that do not agree.
    Discrepancies,
    /// Who calls whom.
    GraphShape,
    /// That calls fail is told from that they are late.
    FailingOrLate,
}

impl Method {
    /// Every method.
    pub const ALL: [Self; 10] = [
        Self::NoiseFloor,
        Self::TailDeviation,
        Self::FlowConservation,
        Self::LogTemplates,
        Self::RequestSteps,
        Self::Events,
        Self::Peers,
        Self::Discrepancies,
        Self::GraphShape,
        Self::FailingOrLate,
    ];

    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoiseFloor => "noise floor",
            Self::TailDeviation => "tail deviation",
            Self::FlowConservation => "flow conservation",
            Self::LogTemplates => "log templates",
            Self::RequestSteps => "request steps",
            Self::Events => "events",
            Self::Peers => "peers",
            Self::Discrepancies => "discrepancies",
            Self::GraphShape => "graph shape",
            Self::FailingOrLate => "failing or late",
        }
    }
}

/// The methods that are used. There is no way to leave one out but to measure without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Methods {
    left_out: Option<Method>,
}

impl Methods {
    /// All of them: what production uses.
    pub const fn all() -> Self {
        Self { left_out: None }
    }

    /// All but one, to measure what it pays.
    pub const fn without(method: Method) -> Self {
        Self { left_out: Some(method) }
    }

    pub(crate) fn use_of(self, method: Method) -> bool {
        self.left_out != Some(method)
    }
}
