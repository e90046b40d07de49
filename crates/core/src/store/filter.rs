//! Which rows to read.

/// Which tickets.
#[derive(Debug, Clone, Default)]
pub struct TicketFilter {
    /// Of this subject only.
    pub subject: Option<String>,
    /// Of this incident only.
    pub incident: Option<String>,
    /// The one with this id; a suffix after a dash is enough where it is unique (`T1` for `prod-eu-T1`).
    pub id: Option<String>,
    /// Those not resolved only.
    pub open_only: bool,
    /// At most so many; 0 means 1,000.
    pub limit: u32,
}

/// Which executions.
#[derive(Debug, Clone, Default)]
pub struct ExecutionFilter {
    /// Of this subject only.
    pub subject: Option<String>,
    /// Of this incident only.
    pub incident: Option<String>,
    /// The one with this id; a part between dashes is enough where it is unique (`A1` for `prod-eu-A1-5d0c…`).
    pub id: Option<String>,
    /// Those in a state that is not terminal only.
    pub active_only: bool,
    /// At most so many; 0 means 1,000.
    pub limit: u32,
}
