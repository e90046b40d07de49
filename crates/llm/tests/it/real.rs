//! A real model, on a server that speaks chat completions. A small one is a poor diagnostician and an honest adversary:
//! whatever it says, the answer holds or is the reasoner's.
//!
//! `OPERATOR_LLM_URL=http://127.0.0.1:8080 cargo nextest run -p operator-llm --run-ignored only real --no-capture`

use std::sync::Arc;

use operator_llm::{DiagnoserSettings, LlmDiagnoser, OpenAiCompatible, ProviderSettings};
use operator_reasoner::{Diagnoser, Inquiry, Outcome};

use crate::model::{Put, deliberation};
use crate::world::{Fault, actions};

const FAULTS: [Fault; 10] = [
    Fault::CallerDown,
    Fault::StoreDown,
    Fault::StoreSlow,
    Fault::CallerSlow,
    Fault::LinkSlow,
    Fault::StateDivergence,
    Fault::BadChangeOfItem,
    Fault::LoadSurge,
    Fault::DataLoss,
    Fault::Symmetric,
];

fn ask(tools: bool) {
    let url = std::env::var("OPERATOR_LLM_URL").unwrap();
    let only = std::env::var("OPERATOR_LLM_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(FAULTS.len());
    let tokens = std::env::var("OPERATOR_LLM_PACK_TOKENS").ok().and_then(|n| n.parse().ok());
    let tokens = tokens.unwrap_or(DiagnoserSettings::local().pack_tokens);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut counts = [0; 3];
    for (n, fault) in FAULTS.iter().enumerate().take(only) {
        let mut put = Put::of(*fault, 100 + n as u64);
        put.settings = DiagnoserSettings::local();
        put.settings.pack_tokens = tokens;
        let settings = ProviderSettings { uses_tools: tools, ..ProviderSettings::at(&url, "local") };
        let provider = Arc::new(OpenAiCompatible::new(&settings).unwrap());
        let diagnoser = LlmDiagnoser::new(provider, put.settings.clone(), put.clock.clone());
        let acts = actions();
        let inquiry =
            Inquiry { pack: &put.pack, actions: &acts, investigation: &put.spy, reasoned: Some(&put.reasoned) };
        let started = std::time::Instant::now();
        let answer = runtime.block_on(diagnoser.diagnose(inquiry)).unwrap();
        let kept = deliberation(&answer);
        println!(
            "{fault:?}: {:?} in {:.1?}; {} calls, {} tokens in, {} out; looks {:?}",
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
    println!("accepted, repaired, fallen back: {counts:?}");
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
