//! The kinds of cause, in terms that hold for any system.

use std::fmt;

macro_rules! fault_classes {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {
        /// What kind of cause it is. A class together with a [`Locus`](crate::Locus) is a hypothesis.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        pub enum FaultClass {
            $($(#[$doc])* $name),+
        }

        impl FaultClass {
            /// Every class, in the order of their declaration.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The name of the class, as written.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),+ }
            }

            /// The class of that name.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|class| class.name() == name)
            }
        }
    };
}

fault_classes! {
    /// A component does not run, or does not answer at all.
    ComponentDown,
    /// A component answers, slowly.
    ComponentSlow,
    /// A link carries nothing.
    LinkDown,
    /// A link carries everything, slowly.
    LinkSlow,
    /// One component's idea of the shared state is not the others'.
    StateDivergence,
    /// One component runs with other settings than its peers.
    ConfigDivergence,
    /// Somebody outside the system wrote into its state.
    ExternalMutation,
    /// State that was there is gone.
    DataLoss,
    /// A resource is full.
    CapacityExhaustion,
    /// More is asked than usual.
    LoadSurge,
    /// Clocks do not agree.
    ClockSkew,
    /// A change that was made is the cause.
    BadChange,
    /// What steers the system does not work.
    ControlPlaneDown,
    /// The system cannot be seen well enough to say.
    MonitoringGap,
    /// Nothing is wrong.
    NoFault,
    /// The evidence does not decide.
    Unknown,
}

impl fmt::Display for FaultClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
