//! A simulated process: whether it runs, and which start of it.

/// A simulated process.
#[derive(Debug, Clone)]
pub(crate) struct Process {
    /// Whether it runs.
    pub(crate) running: bool,
    /// How many times it was started.
    pub(crate) starts: u32,
    /// When it was started last, in milliseconds since 1970.
    pub(crate) started_at: i64,
    /// It does its work from then on.
    pub(crate) ready_at: i64,
    /// If it was asked to end: when it does.
    pub(crate) ends_at: Option<i64>,
    /// Whether it starts again by itself once it has ended.
    pub(crate) starts_again: bool,
    /// How it ended last.
    pub(crate) exit: Option<&'static str>,
}

impl Process {
    /// One that has run since `started_at`.
    pub(crate) fn since(started_at: i64) -> Self {
        Self {
            running: true,
            starts: 1,
            started_at,
            ready_at: started_at,
            ends_at: None,
            starts_again: false,
            exit: None,
        }
    }

    /// Whether it runs and does its work.
    pub(crate) fn works(&self, now: i64) -> bool {
        self.running && now >= self.ready_at
    }

    pub(crate) fn start(&mut self, now: i64, boot: i64) {
        if !self.running {
            // Two starts within one second would look like one: start times are told in seconds.
            let started_at = now.max(self.started_at + 1_000);
            *self = Self { starts: self.starts + 1, ready_at: started_at + boot, ..Self::since(started_at) };
        }
    }

    pub(crate) fn end(&mut self, how: &'static str) {
        self.running = false;
        self.ends_at = None;
        self.exit = Some(how);
    }

    /// Names this start: differs from every other start's.
    pub(crate) fn incarnation(&self, name: &str) -> String {
        format!("{name}#{}", self.starts)
    }
}
