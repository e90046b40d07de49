//! How full a store's disk is: by the store's own word, which is exact, or else by PD's, which has four digits.

use super::case::{Case, Step, bytes, untold};
use crate::names;

/// A disk, in bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Disk {
    pub(super) capacity: f64,
    pub(super) available: f64,
    /// What the store's data takes, where it is known.
    pub(super) used: Option<f64>,
}

pub(super) fn of(case: &Case<'_>, id: u64) -> Step<Disk> {
    let measured = case.metric("disk_capacity", id).and_then(|capacity| {
        Ok(Disk { capacity, available: case.metric("disk_available", id)?, used: case.metric("disk_used", id).ok() })
    });
    let told = case
        .stores
        .get(&id)
        .filter(|_| case.details.cluster.answers)
        .and_then(|store| Some(Disk { capacity: store.capacity?, available: store.available?, used: store.used }));
    let disk = match (measured, told) {
        (Ok(measured), _) => measured,
        (Err(_), Some(told)) => told,
        (Err(verdict), None) => return Err(verdict),
    };
    let sound = disk.capacity.is_finite() && disk.capacity > 0.0 && disk.available.is_finite() && disk.available >= 0.0;
    if sound { Ok(disk) } else { Err(untold("the size of the disk", &names::store(id))) }
}

impl Disk {
    /// The part that is left.
    pub(super) fn left(self) -> f64 {
        self.available / self.capacity
    }

    /// What takes the space that the store's data does not, in words; nothing, if it is little.
    pub(super) fn foreign(self) -> Option<String> {
        let foreign = self.capacity - self.available - self.used.filter(|used| used.is_finite())?;
        (foreign > 0.1 * self.capacity)
            .then(|| format!("{} of it are taken by something that is not the store's data", bytes(foreign)))
    }
}
