//! What every store must keep, as checks that can be run over any implementation.
//!
//! A [`Fixture`] makes handles on one set of data; every check gets a fresh one:
//!
//! ```ignore
//! for check in contract::CHECKS {
//!     if let Err(broken) = (check.run)(fresh_fixture()).await {
//!         panic!("{}: {broken}", check.name);
//!     }
//! }
//! ```

mod atomicity;
mod audit;
mod claim_refusals;
mod claims;
mod commit;
mod decisions;
mod finish;
mod kill_switch;
mod learning;
mod lease;
mod outcome;
pub mod sample;
mod selecting;
mod snapshot;
mod states;
mod steps;

use std::path::Path;
use std::sync::Arc;

use operator_protocols::BoxFuture;

pub use outcome::{Broken, Outcome};

use crate::store::{Store, StoreError};

/// One set of data, and how to open it.
pub trait Fixture: Send + Sync {
    /// A new handle on the data, as another process would have one.
    fn open(&self) -> BoxFuture<'_, Result<Arc<dyn Store>, StoreError>>;

    /// Another set of data, empty.
    fn fresh(&self) -> Arc<dyn Fixture>;

    /// The state directory, where the store heeds the kill switch's files in one.
    fn state_dir(&self) -> Option<&Path>;
}

/// One promise, and how to see whether it is kept.
#[derive(Clone, Copy)]
pub struct Check {
    /// The promise, as a sentence.
    pub name: &'static str,
    /// Sees whether it is kept, over a fixture without data.
    pub run: fn(Arc<dyn Fixture>) -> BoxFuture<'static, Outcome>,
}

macro_rules! checks {
    ($($module:ident { $($name:ident,)* })*) => {
        /// Every promise.
        pub const CHECKS: &[Check] = &[
            $($(Check { name: stringify!($name), run: |fixture| Box::pin($module::$name(fixture)) },)*)*
        ];
    };
}

checks! {
    lease {
        the_epoch_grows_by_one_with_every_holder,
        a_second_owner_is_refused_at_once_and_let_in_when_the_first_is_gone,
        an_old_epoch_changes_nothing,
        who_does_not_own_the_store_can_read_it,
        an_installation_keeps_its_id,
    }
    commit {
        what_was_committed_is_there_after_a_restart_to_the_last_bit,
        the_greatest_count_is_kept,
        one_violation_has_at_most_one_open_ticket,
        a_resolved_ticket_can_be_opened_again,
        ten_thousand_tickets_are_one_commit,
        what_could_not_be_read_back_is_not_written,
    }
    atomicity {
        a_commit_with_one_thing_wrong_writes_nothing,
        commits_at_the_same_time_do_not_mix,
    }
    states {
        a_ticket_moves_only_as_its_table_says,
        an_execution_moves_only_as_its_table_says,
        what_is_final_never_changes,
        a_new_execution_has_not_been_sent,
        a_changed_execution_is_one_version_on_and_carries_out_the_same,
        whoever_takes_over_makes_what_is_in_flight_its_own,
    }
    snapshot {
        what_is_over_is_not_loaded,
        the_latest_diagnosis_of_an_incident_is_loaded,
        subjects_do_not_see_each_other,
        a_snapshot_is_taken_over_as_it_is_and_goes_on_from_there,
    }
    selecting {
        a_short_name_is_enough_where_it_is_unique,
        the_newest_come_first_and_no_more_than_asked_for,
        a_filter_leaves_out_what_it_says,
    }
    learning {
        what_a_diagnosis_rests_on_and_how_it_was_reached_is_kept_with_it,
        what_is_over_is_found_by_its_kind_the_latest_first,
        the_last_word_on_an_incident_counts,
    }
    decisions {
        a_decision_is_kept_and_counted,
        a_decision_that_nothing_waits_for_is_refused,
        a_decision_by_who_may_not_decide_is_refused,
    }
    claims {
        a_claim_writes_the_attempt_and_the_audit_row_with_the_state,
        of_many_claims_of_one_intent_one_is_granted,
        of_many_claims_on_one_target_one_is_granted,
        a_budget_holds_against_many_claims_at_once,
        a_budget_is_new_in_the_next_window,
        an_unknown_outcome_is_claimed_again_until_the_attempts_are_used_up,
        what_no_rule_holds_against_is_claimed_without_asking,
    }
    claim_refusals {
        each_condition_alone_refuses_and_changes_nothing,
        what_is_in_no_state_for_it_is_not_claimed,
        whatever_may_still_arrive_holds_its_target,
        only_decisions_that_count_are_counted,
    }
    finish {
        every_outcome_that_the_table_allows_is_written,
        what_comes_too_late_changes_nothing_and_is_kept_as_evidence,
        an_outcome_that_the_table_does_not_allow_is_refused,
    }
    kill_switch {
        nothing_within_its_scope_is_claimed_while_it_is_engaged,
        the_acknowledgement_says_what_is_in_flight,
        it_is_said_who_engaged_it_and_why,
        releasing_it_needs_a_reason,
        it_outlives_the_process,
        a_file_alone_engages_it,
        no_claim_commits_after_the_acknowledgement,
    }
    audit {
        the_chain_has_no_gap_and_verifies,
        rows_written_at_once_stand_in_one_chain,
        an_event_reads_back_as_it_was_written,
        changes_and_their_rows_come_together,
    }
}
