//! How time passes in a simulated system.

/// How time passes in a simulated system.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    /// Only when somebody asks for it: as fast as the machine goes.
    Asked,
    /// By itself, so many times as fast as real time.
    Times(f64),
}
