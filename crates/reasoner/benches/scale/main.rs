//! How the reasoner grows with the system: from a table of signals and a call graph to a ranked answer, on one core.
//!
//!     cargo bench -p operator-reasoner --bench scale            # the figures of docs/reasoner-scale.md
//!     cargo bench -p operator-reasoner --bench scale -- --svg docs/reasoner-scale.svg
//!
//! The baseline is the plain way to the same statistics, in the same run: each signal's past copied and sorted.
//! Memory is what was allocated at most beyond the input while the answer was made.

mod plot;
mod system;

use std::hint::black_box;
use std::time::{Duration, Instant};

use operator_reasoner::{EvidencePack, PackInput, Reasoner};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const SIGNALS: usize = 50;
const SAMPLES: usize = 720;
const SIZES: [usize; 5] = [100, 200, 500, 1_000, 2_000];
/// Each figure is the median of so many.
const RUNS: usize = 5;
const MIB: f64 = 1024.0 * 1024.0;

/// What was measured at one size.
struct Figure {
    components: usize,
    took: Duration,
    sorting: Duration,
    beyond_mib: f64,
    right: bool,
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    // `cargo test --benches` only asks whether it runs.
    let sizes: &[usize] = if arguments.iter().any(|one| one == "--test") { &[50] } else { &SIZES };
    println!("components  input MB  answer ms  sorting ms  ratio  beyond input MiB  culprit first");
    let figures: Vec<_> = sizes.iter().map(|&components| measure(components)).collect();
    if let (Some(first), Some(last)) = (figures.first(), figures.last()) {
        let grown = last.components as f64 / first.components as f64;
        if grown > 1.0 {
            let exponent = (last.took.as_secs_f64() / first.took.as_secs_f64()).ln() / grown.ln();
            let n_log_n = 1.0 + ((last.components as f64).ln() / (first.components as f64).ln()).ln() / grown.ln();
            println!("grows like n^{exponent:.2}; n log n over these sizes is n^{n_log_n:.2}");
        }
    }
    if let Some(at) = arguments.iter().position(|one| one == "--svg") {
        let path = arguments.get(at + 1).expect("--svg needs a file");
        // Benches run in the folder of their package.
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
        let points: Vec<_> = figures.iter().map(|one| (one.components, one.took, one.sorting)).collect();
        std::fs::write(path, plot::svg(&points)).expect("the file can be written");
    }
}

fn measure(components: usize) -> Figure {
    let made = system::system(components, SIGNALS, SAMPLES, 1);
    let input = PackInput {
        subject: "made-up",
        incident: "made-up-I1",
        now: made.now,
        history: &made.history,
        violations: &made.violations,
        invariants: &[],
        actions: &[],
        own_actions: &[],
        similar: &[],
    };
    let answer = || {
        let pack = EvidencePack::build_over(&input, &[], Some(&made.table));
        Reasoner::new().rank(&pack)
    };
    let held = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let ranked = answer();
    let beyond_mib = MEMORY.peak_usage().saturating_sub(held) as f64 / MIB;
    let right = ranked.places.first().is_some_and(|first| first.locus == made.culprit);
    let figure = Figure {
        components,
        took: median(|| drop(black_box(answer()))),
        sorting: median(|| sort_each(&made.table)),
        beyond_mib,
        right,
    };
    println!(
        "{:>10}  {:>8.0}  {:>9.0}  {:>10.0}  {:>5.2}  {:>16.1}  {}",
        figure.components,
        (components * SIGNALS * SAMPLES * size_of::<f32>()) as f64 / 1e6,
        figure.took.as_secs_f64() * 1e3,
        figure.sorting.as_secs_f64() * 1e3,
        figure.took.as_secs_f64() / figure.sorting.as_secs_f64(),
        figure.beyond_mib,
        if figure.right { "yes" } else { "no" },
    );
    figure
}

fn median(mut run: impl FnMut()) -> Duration {
    let mut times: Vec<_> = (0..RUNS)
        .map(|_| {
            let began = Instant::now();
            run();
            began.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[RUNS / 2]
}

fn sort_each(table: &operator_reasoner::SignalTable) {
    let mut copy: Vec<f64> = Vec::with_capacity(SAMPLES);
    for (_, values) in table.columns() {
        copy.clear();
        copy.extend(values.iter().map(|value| f64::from(*value)));
        copy.sort_unstable_by(f64::total_cmp);
        black_box(copy[copy.len() / 2]);
    }
}
