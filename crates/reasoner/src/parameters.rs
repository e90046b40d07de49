//! Every constant the reasoner judges by, in one place: one frozen set for every system.
//!
//! Weights are log-likelihood ratios in nats: how much more likely the evidence is if the hypothesis is true than if
//! something else is. They come in five grades instead of one number a rule, so that there is little to fit and a
//! person can argue about each.

use std::time::Duration;

/// The version of this set, as recorded with every diagnosis. Raise it with any change that can change an answer.
pub const VERSION: &str = "4";

// ---- Grades of evidence -------------------------------------------------------------------------------------------

/// The evidence all but is the hypothesis: a component that does not answer *is* down.
pub const DECISIVE: f64 = 5.0;
/// Seldom seen unless the hypothesis is true (odds 20 : 1).
pub const STRONG: f64 = 3.0;
/// Clearly favours it (odds 4.5 : 1).
pub const MODERATE: f64 = 1.5;
/// Leans towards it (odds 2 : 1).
pub const WEAK: f64 = 0.7;

// ---- How much a symptom asks for an explanation -------------------------------------------------------------------

/// A component that does not answer, or accounts that do not agree.
pub const SYMPTOM_GRAVE: f64 = 3.0;
/// A link that carries nothing.
pub const SYMPTOM_LINK: f64 = 2.5;
/// A violated invariant of severity critical.
pub const SYMPTOM_CRITICAL: f64 = 2.0;
/// A violated invariant of severity warning; a component that says itself that it is degraded.
pub const SYMPTOM_WARNING: f64 = 1.5;
/// A log template that became more frequent; a level close to full.
pub const SYMPTOM_HINT: f64 = 0.8;
/// A violated invariant of severity info; signals that fell silent.
pub const SYMPTOM_FAINT: f64 = 0.5;
/// A deviation of `z` robust deviations weighs this times ln(z / [`DEVIATION_UNIT`]), at most [`SYMPTOM_GRAVE`].
pub const DEVIATION_NATS: f64 = 0.75;
/// The deviation whose weight would be zero.
pub const DEVIATION_UNIT: f64 = 2.0;

// ---- What a hypothesis pays ---------------------------------------------------------------------------------------

/// The part of a symptom's weight that is lost when the hypothesis does not explain it.
pub const UNEXPLAINED: f64 = 0.8;
/// The part of every symptom's weight that "something else" loses: it explains anything, badly.
pub const SOMETHING_ELSE: f64 = 0.25;
/// How well each further hop of callers is explained, times the hop before.
pub const PER_HOP: f64 = 0.9;
/// From this part of a symptom's weight on that is of failing, not of being late, its place fails.
pub const FAILS: f64 = 0.5;
/// How well a place that answers all it is asked explains that a caller of it fails: the caller may have given up
/// waiting.
pub const GIVES_UP: f64 = 0.4;
/// What a hypothesis loses that explains none of the violated invariants: they are what has to be explained.
pub const EXPLAINS_NO_VIOLATION: f64 = 6.0;
/// From this weight of the gravest symptom at a place on, it is sure that something is wrong there.
pub const SURE: f64 = 2.0;
/// What is wrong where only other incidents have tickets asks for this part of an explanation here.
pub const CONTEXT: f64 = 0.4;
/// What a hypothesis about a fault loses when no invariant is violated at all.
pub const NOTHING_VIOLATED: f64 = 4.0;
/// Divides scores before they become probabilities: evidence is not as independent as the sum pretends.
pub const TEMPERATURE: f64 = 1.5;

// ---- When to abstain ----------------------------------------------------------------------------------------------

/// The least probability of the best explanation, all its classes at that locus together.
pub const DECIDES: f64 = 0.5;
/// The least odds (in nats, after [`TEMPERATURE`]) against the best explanation at another locus.
pub const MARGIN: f64 = 0.7;
/// From here on confidence is `high`.
pub const CONFIDENCE_HIGH: f64 = 0.8;
/// From here on confidence is `medium`.
pub const CONFIDENCE_MEDIUM: f64 = 0.5;

// ---- Baselines and deviations -------------------------------------------------------------------------------------

/// Fewer healthy samples than this are no baseline; peers are compared instead.
pub const BASELINE_SAMPLES: usize = 5;
/// An interquartile range in standard deviations of a normal distribution.
pub const IQR_TO_SIGMA: f64 = 1.349;
/// The upper tail that the healthy past may reach: this quantile of it lies within [`TAIL_SIGMAS`] deviations.
pub const TAIL_QUANTILE: f64 = 0.98;
/// See [`TAIL_QUANTILE`].
pub const TAIL_SIGMAS: f64 = 2.5;
/// The floor of the scale, relative to the median: what changes by less is noise whatever its past. A scale of zero
/// caused most wrong first ranks where that was measured.
pub const FLOOR_RELATIVE: f64 = 0.05;
/// The floor of the scale of times, in seconds.
pub const FLOOR_SECONDS: f64 = 0.000_5;
/// The floor of the scale of ratios (unit `1`).
pub const FLOOR_RATIO: f64 = 0.01;
/// The floor of the scale of availabilities, as a part of all: what should always be there is usually steadier.
pub const FLOOR_AVAILABILITY: f64 = 0.001;
/// The floor of the scale of rates that are read as such (unit `1/s`).
pub const FLOOR_PER_SECOND: f64 = 0.1;
/// The floor of the scale of gauges without a known unit.
pub const FLOOR_OTHER: f64 = 1e-9;
/// From so many robust deviations on, a signal deviates.
pub const DEVIATES: f64 = 4.0;
/// Up to so many, it is at its baseline. In between it is neither.
pub const AT_BASELINE: f64 = 2.5;
/// The least change, relative to the baseline, that counts as a deviation.
pub const LEAST_EFFECT: f64 = 0.25;
/// Deviations are cut off here; beyond it the number says nothing more.
pub const DEVIATION_CAP: f64 = 1e6;
/// The value since the onset is the median of so many latest samples, or of all, whichever is further off.
pub const LATEST_SAMPLES: usize = 3;
/// Without a baseline, so many peers (itself included) are needed to tell who differs.
pub const PEERS_FOR_BASELINE: usize = 3;
/// A level from here on is close to full, as a part of full.
pub const NEARLY_FULL: f64 = 0.9;
/// From this factor on, more traffic is a surge.
pub const SURGE_FACTOR: f64 = 1.5;
/// The part of the components with traffic that must see the surge.
pub const SURGE_SHARE: f64 = 0.8;
/// From this part of the traffic of the busiest component on, one entity's traffic dominates.
pub const DOMINATES: f64 = 0.3;
/// A signal whose baseline is below this part of a hop's baseline cannot contain the hop.
pub const CONTAINS_HOP: f64 = 0.8;
/// A signal that contains a hop grows by at most this many times what the hop grows by.
pub const HOP_FACTOR: f64 = 2.0;
/// From this share of its own excess on, a component causes it itself.
pub const OWN_SHARE_HIGH: f64 = 0.5;
/// Up to this share, it does not.
pub const OWN_SHARE_LOW: f64 = 0.25;

// ---- Time ---------------------------------------------------------------------------------------------------------

/// Samples so shortly before the first violation belong neither to the healthy past nor, by themselves, to the
/// trouble: a violation is seen later than its cause.
pub const ONSET_GUARD: Duration = Duration::from_secs(30);
/// Violations that began within this of each other belong to one episode.
pub const EPISODE_GAP: Duration = Duration::from_secs(300);
/// How long before the episode a change of state may have begun it.
pub const STATE_REACH: Duration = Duration::from_secs(300);
/// How long before the onset events are looked at.
pub const EVENT_REACH: Duration = Duration::from_secs(3600);
/// How long before the onset a change may have caused it.
pub const CHANGE_REACH: Duration = Duration::from_secs(900);
/// A change within this before the onset is shortly before it.
pub const CHANGE_SHORTLY: Duration = Duration::from_secs(60);
/// An incarnation that changed within this before the onset bears on it.
pub const INCARNATION_REACH: Duration = Duration::from_secs(900);
/// Symptoms that begin within this of each other begin at once.
pub const AT_ONCE: Duration = Duration::from_secs(15);
/// A cause does not begin this much later than its effects.
pub const LATE: Duration = Duration::from_secs(30);

// ---- Bounds -------------------------------------------------------------------------------------------------------

/// The most items of each kind in a pack: those that deviate most, or are nearest to the onset.
pub const ITEMS_PER_KIND: usize = 60;
/// The most items of the kinds that help rather than decide: events, logs, details, unavailable, invariants that hold.
pub const ITEMS_PER_MINOR_KIND: usize = 25;
/// The longest text taken over from outside, in characters.
pub const TEXT_CHARS: usize = 300;
/// How deep the details are read.
pub const DETAIL_DEPTH: usize = 6;
/// How many scalar leaves of the details are read.
pub const DETAIL_LEAVES: usize = 2_000;
/// How many past observations tell which details change all the time.
pub const DETAIL_SAMPLES: usize = 5;
/// How many different log templates are counted.
pub const LOG_TEMPLATES: usize = 5_000;
/// How many times more frequent a log template must be to be told.
pub const LOG_FACTOR: f64 = 3.0;
/// From so many requests on since the onset, it is told which step they do not take any more.
pub const STEP_REQUESTS: u32 = 3;
/// A step that at least this part of the requests used to take is usual.
pub const USUAL_STEP: f64 = 0.8;
/// How many kinds of lines of one component are compared.
pub const STEP_LINES: usize = 200;
/// How many steps that are not taken any more are told of one component.
pub const STEPS_PER_COMPONENT: usize = 3;
/// How many explanations that were not chosen are told.
pub const ALTERNATIVES: usize = 5;
/// How many items are cited for and against one explanation.
pub const CITATIONS: usize = 12;
/// How many entries the timeline has.
pub const TIMELINE: usize = 24;
/// How many numbers are told.
pub const READINGS: usize = 16;
/// How many hypotheses about one kind of locus are weighed: those with the gravest symptoms.
pub const CANDIDATES: usize = 400;

// ---- Priors -------------------------------------------------------------------------------------------------------

/// How likely a cause of a class is before any evidence, as a logarithm against "something else". Only rough ranks are
/// meant: that which is common in operations before that which is rare.
pub const fn prior(class: operator_protocols::FaultClass) -> f64 {
    use operator_protocols::FaultClass as F;
    match class {
        F::NoFault => -0.5,
        F::ComponentDown | F::BadChange => -1.0,
        F::ComponentSlow => -1.2,
        F::LinkDown | F::LinkSlow | F::ConfigDivergence | F::CapacityExhaustion | F::LoadSurge | F::MonitoringGap => {
            -1.5
        }
        F::StateDivergence | F::ExternalMutation | F::DataLoss | F::ControlPlaneDown => -2.0,
        F::ClockSkew => -2.5,
        F::Unknown => 0.0,
    }
}
