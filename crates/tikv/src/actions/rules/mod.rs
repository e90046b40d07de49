//! The rules that must hold before anything is sent, each in its own function. What a rule needs to know and does not is a
//! refusal too. PD checks little of this itself: it takes stores that do not answer for up when one is removed, does not
//! look at the health of a leader's new store, nor at space and labels when a peer is moved, and knows no roles.
//!
//! | file | rules |
//! |---|---|
//! | `control_plane` | PD has a leader that knows the cluster, and speaks of now |
//! | `quorum` | no region has lost its majority or is about to |
//! | `maintenance` | nobody else is at work on a store; one store at a time |
//! | `store` | a store is fit to take something over |
//! | `region` | a region is whole, and nothing is done with it already |
//! | `isolation` | replicas stay as far apart as they are |
//! | `scale_in` | what is left without a store can hold everything |
//! | `member` | a member of PD can be done without |

pub(crate) mod control_plane;
pub(super) mod isolation;
pub(super) mod maintenance;
pub(super) mod member;
pub(crate) mod quorum;
pub(super) mod region;
pub(crate) mod scale_in;
pub(crate) mod store;
