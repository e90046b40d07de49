//! A step that PD has a region take.

use super::super::go;
use super::Simulator;

/// What a region is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Another replica leads it.
    TransferLeader {
        /// From this store, by index.
        from: u16,
        /// To this one.
        to: u16,
    },
    /// A replica moves.
    MovePeer {
        /// From this store, by index.
        from: u16,
        /// To this one.
        to: u16,
    },
    /// It gets a replica.
    AddPeer {
        /// On this store, by index.
        to: u16,
    },
    /// It is cut in two.
    Split,
    /// Its replicas are spread anew, which in this model moves its leader.
    Scatter {
        /// To this store, by index.
        to: u16,
    },
    /// It takes in its neighbour, which in this model changes nothing.
    Merge,
}

/// How an operator is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// It goes on.
    Running,
    /// It is done.
    Success,
    /// It took too long.
    Timeout,
    /// It was called off.
    Cancel,
}

impl Status {
    /// PD's word for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Success => "SUCCESS",
            Self::Timeout => "TIMEOUT",
            Self::Cancel => "CANCEL",
        }
    }
}

/// A step that PD has a region take.
#[derive(Debug, Clone)]
pub(crate) struct Operator {
    /// What it is for.
    pub(crate) desc: String,
    /// PD's word for its kind.
    pub(crate) class: &'static str,
    /// What is to be done.
    pub(crate) kind: Kind,
    /// The region, by index.
    pub(crate) region: u32,
    /// When it began.
    pub(crate) created: i64,
    /// Milliseconds of progress so far.
    pub(crate) progress: i64,
    /// Milliseconds of progress it takes.
    pub(crate) takes: i64,
    /// It is given up after so many milliseconds.
    pub(crate) timeout: i64,
    /// How it is doing.
    pub(crate) status: Status,
    /// When it ended.
    pub(crate) ended: i64,
    /// Whether the new replica is there, as a learner.
    pub(crate) added: bool,
}

impl Operator {
    /// Whether it moves a leader and nothing else.
    pub(crate) fn moves_leader(&self) -> bool {
        matches!(self.kind, Kind::TransferLeader { .. } | Kind::Scatter { .. })
    }

    /// The store that gets a replica.
    pub(crate) fn adds_to(&self) -> Option<u16> {
        match self.kind {
            Kind::MovePeer { to, .. } | Kind::AddPeer { to } => Some(to),
            _ => None,
        }
    }

    /// The store that gives one up.
    pub(crate) fn removes_from(&self) -> Option<u16> {
        match self.kind {
            Kind::MovePeer { from, .. } => Some(from),
            _ => None,
        }
    }
}

impl Simulator {
    fn id(&self, store: u16) -> u64 {
        self.stores[usize::from(store)].id
    }

    /// What an operator does, in short, in PD's words.
    pub(crate) fn brief(&self, operator: &Operator) -> String {
        match operator.kind {
            Kind::TransferLeader { from, to } if operator.desc.starts_with("evict") => {
                let (from, to) = (self.id(from), self.id(to));
                format!("evict leader: from store {from} to one in [{to}], or to {to} (for compatibility)")
            }
            Kind::TransferLeader { from, to } => {
                format!("transfer leader: store {} to {}", self.id(from), self.id(to))
            }
            Kind::MovePeer { from, to } => format!("mv peer: store [{}] to [{}]", self.id(from), self.id(to)),
            Kind::AddPeer { to } => format!("add peer: store [{}]", self.id(to)),
            Kind::Split => format!("split: region {} use policy APPROXIMATE", self.regions.get(operator.region).id),
            Kind::Scatter { .. } => "scatter region".to_owned(),
            Kind::Merge => "merge region".to_owned(),
        }
    }

    fn steps(&self, operator: &Operator) -> Vec<String> {
        match operator.kind {
            Kind::TransferLeader { from, to } => {
                vec![format!("transfer leader from store {} to store {}", self.id(from), self.id(to))]
            }
            Kind::Scatter { to } => vec![format!("transfer leader to store {}", self.id(to))],
            Kind::MovePeer { from, to } => {
                let (from, to) = (self.id(from), self.id(to));
                vec![
                    format!("add learner peer on store {to}"),
                    format!(
                        "use joint consensus, promote learner peer on store {to} to voter, demote voter peer on store {from} to learner"
                    ),
                    format!(
                        "leave joint state, promote learner peer on store {to} to voter, demote voter peer on store {from} to learner"
                    ),
                    format!("remove peer on store {from}"),
                ]
            }
            Kind::AddPeer { to } => {
                vec![format!("add learner peer on store {}", self.id(to)), "promote learner peer to voter".to_owned()]
            }
            Kind::Split => vec!["split region with policy APPROXIMATE".to_owned()],
            Kind::Merge => vec!["merge region".to_owned()],
        }
    }

    /// An operator as PD prints it.
    pub(crate) fn printed(&self, operator: &Operator) -> String {
        let region = self.regions.get(operator.region);
        let at = go::printed(operator.created, self.began);
        let steps = self.steps(operator);
        let current = operator.progress * steps.len() as i64 / operator.takes.max(1);
        let steps: Vec<String> = steps.iter().enumerate().map(|(index, step)| format!("{index}:{{{step}}}")).collect();
        format!(
            "{} {{{}}} (kind:{}, region:{}({}, {}), createAt:{at}, startAt:{at}, currentStep:{current}, size:{}, \
             steps:[{}], timeout:[{}])",
            operator.desc,
            self.brief(operator),
            operator.class,
            region.id,
            region.version,
            region.conf_ver,
            region.size,
            steps.join(", "),
            go::duration(operator.timeout)
        )
    }
}
