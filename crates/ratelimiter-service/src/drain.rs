//! A drain: a node asked to take no more traffic, by whom and until when. Held in the node's memory, so that it
//! works without Redis and ends with the process; the registry only mirrors it.

/// A drain in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drain {
    /// Who asked for it.
    pub owner: String,
    /// When it ends, in µs of the node's monotonic clock.
    pub until_us: i64,
}

/// Why a drain was not changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DrainError {
    /// It was changed since the version the caller knows.
    VersionDiffers,
    /// It belongs to somebody else.
    OwnedBy(Drain),
}

/// The drain of one node.
#[derive(Clone, Debug, Default)]
pub struct DrainState {
    drain: Option<Drain>,
    version: u64,
}

impl DrainState {
    /// The drain in force at `now`. One that has ended counts as a change.
    pub fn current(&mut self, now: i64) -> Option<&Drain> {
        if self.drain.as_ref().is_some_and(|drain| drain.until_us <= now) {
            self.drain = None;
            self.version += 1;
        }
        self.drain.as_ref()
    }

    /// Rises by one at each change.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    fn permit(&mut self, now: i64, owner: Option<&str>, if_version: Option<u64>) -> Result<(), DrainError> {
        let current = self.current(now).cloned();
        if if_version.is_some_and(|version| version != self.version) {
            return Err(DrainError::VersionDiffers);
        }
        match (current, owner) {
            (Some(drain), Some(owner)) if drain.owner != owner => Err(DrainError::OwnedBy(drain)),
            _ => Ok(()),
        }
    }

    /// Starts a drain, or moves the end of the owner's own.
    ///
    /// # Errors
    /// Another owner's is in force, or the version differs.
    pub fn drain(&mut self, now: i64, owner: &str, until_us: i64, if_version: Option<u64>) -> Result<(), DrainError> {
        self.permit(now, Some(owner), if_version)?;
        self.drain = Some(Drain { owner: owner.to_owned(), until_us });
        self.version += 1;
        Ok(())
    }

    /// Ends the drain, if there is one.
    ///
    /// # Errors
    /// It is another owner's than the one named, or the version differs.
    pub fn undrain(&mut self, now: i64, owner: Option<&str>, if_version: Option<u64>) -> Result<(), DrainError> {
        self.permit(now, owner, if_version)?;
        if self.drain.take().is_some() {
            self.version += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drain_ends_by_itself() {
        let mut state = DrainState::default();
        state.drain(0, "a", 10, None).unwrap();
        assert!(state.current(9).is_some());
        assert_eq!(state.current(10), None);
        assert_eq!(state.version(), 2);
    }

    #[test]
    fn another_owner_is_refused_and_the_same_one_extends() {
        let mut state = DrainState::default();
        state.drain(0, "a", 10, Some(0)).unwrap();
        assert!(matches!(state.drain(1, "b", 99, None), Err(DrainError::OwnedBy(d)) if d.owner == "a"));
        assert_eq!(
            state.undrain(1, Some("b"), None),
            Err(DrainError::OwnedBy(Drain { owner: "a".into(), until_us: 10 }))
        );
        state.drain(1, "a", 20, None).unwrap();
        assert_eq!(state.drain(2, "a", 30, Some(1)), Err(DrainError::VersionDiffers));
        state.undrain(15, None, Some(2)).unwrap();
        assert_eq!(state.current(16), None);
    }
}
