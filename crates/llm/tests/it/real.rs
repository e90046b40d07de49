//! A real model explains incidents, asked in both wire formats. A small one is a poor diagnostician and an honest
//! adversary: whatever it says, the answer holds or is the reasoner's.
//!
//! `cargo xtask llm -- real` asks about three incidents; `OPERATOR_LLM_CASES=10` about all, `OPERATOR_LLM_PACK_TOKENS` says how
//! much of the evidence is shown, `OPERATOR_LLM_VERBOSE=1` prints what was said.

use std::sync::Arc;

use operator_llm::{DiagnoserSettings, LlmDiagnoser, Provider, ProviderSettings};
use operator_reasoner::{Diagnoser, Inquiry, Outcome};

use crate::model::{Put, deliberation};
use crate::wire::{FORMATS, Format};
use crate::world::{Fault, actions};

const FAULTS: [Fault; 10] = [
    Fault::StoreSlow,
    Fault::LinkSlow,
    Fault::StateDivergence,
    Fault::CallerDown,
    Fault::StoreDown,
    Fault::CallerSlow,
    Fault::BadChangeOfItem,
    Fault::LoadSurge,
    Fault::DataLoss,
    Fault::Symmetric,
];

/// How many of the faults are asked about, where nothing else is said: a small machine takes a minute for each.
const CASES: usize = 3;
/// How much of the evidence is shown, where nothing else is said.
const PACK_TOKENS: usize = 1_200;

fn ask(tools: bool) {
    FORMATS.into_iter().for_each(|format| ask_in(format, tools));
}

fn ask_in(format: Format, tools: bool) {
    let url = std::env::var("OPERATOR_LLM_URL").unwrap();
    let only = std::env::var("OPERATOR_LLM_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(CASES);
    let tokens = std::env::var("OPERATOR_LLM_PACK_TOKENS").ok().and_then(|n| n.parse().ok());
    let tokens = tokens.unwrap_or(PACK_TOKENS);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut counts = [0; 3];
    for (n, fault) in FAULTS.iter().enumerate().take(only) {
        let mut put = Put::of(*fault, 100 + n as u64);
        put.settings = DiagnoserSettings::local();
        put.settings.pack_tokens = tokens;
        let settings = ProviderSettings { uses_tools: tools, ..ProviderSettings::at(&url, "local") };
        let provider: Arc<dyn Provider> = Arc::from(format.provider(&settings));
        let diagnoser = LlmDiagnoser::new(provider, put.settings.clone(), put.clock.clone());
        let acts = actions();
        let inquiry =
            Inquiry { pack: &put.pack, actions: &acts, investigation: &put.spy, reasoned: Some(&put.reasoned) };
        let started = std::time::Instant::now();
        let answer = runtime.block_on(diagnoser.diagnose(inquiry)).unwrap();
        let kept = deliberation(&answer);
        println!(
            "{format:?} {fault:?}: {:?} in {:.1?}; {} calls, {} tokens in, {} out; looks {:?}",
            kept.outcome,
            started.elapsed(),
            kept.usage.calls,
            kept.usage.input_tokens,
            kept.usage.output_tokens,
            put.spy.looks(),
        );
        println!(
            "  reasoner: {} on {} ({:.2})",
            put.reasoned.primary.class, put.reasoned.primary.locus, put.reasoned.primary.probability
        );
        println!(
            "  answer:   {} on {}: {}",
            answer.diagnosis.primary.class, answer.diagnosis.primary.locus, answer.diagnosis.primary.statement
        );
        for fault in &kept.faults {
            println!("  fault:    {fault}");
        }
        if std::env::var("OPERATOR_LLM_VERBOSE").is_ok() {
            for exchange in &kept.exchanges {
                println!("  request {} response {}", exchange.request, exchange.response);
            }
        }
        if let Outcome::FallenBack { .. } = kept.outcome {
            assert_eq!(answer.diagnosis, put.reasoned);
        }
        assert!(
            answer.diagnosis.primary.probability
                <= put.reasoned.confidence.probability.max(put.reasoned.primary.probability)
        );
        counts[match kept.outcome {
            Outcome::Accepted => 0,
            Outcome::Repaired => 1,
            Outcome::FallenBack { .. } => 2,
        }] += 1;
    }
    println!("{format:?}, tools {tools}: accepted, repaired, fallen back: {counts:?}");
}

#[test]
#[ignore = "needs a model server at OPERATOR_LLM_URL"]
fn a_real_model_answers_in_the_closed_form() {
    ask(false);
}

#[test]
#[ignore = "needs a model server at OPERATOR_LLM_URL"]
fn a_real_model_investigates() {
    ask(true);
}
