//! One answer: which are accepted, what is made of them, and which fall to the reasoner.

use operator_llm::{Budget, DiagnoserSettings, LlmDiagnoser, Pace, Patience, Piece, ProviderError, Stop, ToolChoice};
use operator_protocols::{BoxFuture, FaultClass};
use operator_reasoner::{EvidenceRef, Outcome};
use serde_json::json;

use crate::model::{Put, Scripted, calls, deliberation, reply, says, submits, told, why_fallen_back};
use crate::world::{Fault, actions};

/// A case on which the reasoner decides, with at least one alternative.
fn decided() -> Put {
    let put = Put::of(Fault::StoreSlow, 3);
    assert!(!put.reasoned.abstained());
    assert!(put.ranked().len() >= 2);
    put
}

/// A case on which the reasoner decides, with a second cause that is not far behind.
fn unsure() -> Put {
    let faults = [Fault::CallerSlow, Fault::StoreSlow, Fault::LinkSlow, Fault::BadDeploy, Fault::LoadSurge];
    let mut puts = (0..60).flat_map(|seed| faults.map(|fault| Put::of(fault, seed)));
    let mut put = puts
        .find(|put| {
            let second = put.reasoned.alternatives.first().map(|one| &one.hypothesis);
            !put.reasoned.abstained()
                && second.is_some_and(|two| two.class != FaultClass::NoFault && !two.supporting.is_empty())
        })
        .unwrap();
    put.reasoned.primary.probability = 0.6;
    put.reasoned.alternatives[0].hypothesis.probability = 0.25;
    put
}

#[test]
fn an_answer_that_agrees_replaces_words_and_citations_and_no_number() {
    let put = decided();
    let answer = put.ask(Scripted::saying(true, vec![submits(put.agreeing(1))]));
    assert_eq!(deliberation(&answer).outcome, Outcome::Accepted);
    let (made, reasoned) = (&answer.diagnosis, &put.reasoned);
    assert_eq!(made.diagnoser, "llm:scripted/m-1");
    assert_eq!(made.diagnoser_version, deliberation(&answer).prompt_version);
    assert_eq!(made.primary.statement, "this is the cause");
    assert_eq!(made.primary.probability, reasoned.primary.probability);
    assert_eq!(made.confidence.probability, reasoned.confidence.probability);
    assert_eq!(made.primary.supporting.len(), 2);
    for cited in &made.primary.supporting {
        let noted = reasoned.primary.supporting.iter().find(|one| one.id == cited.id).unwrap();
        assert_eq!(cited.weight, noted.weight);
        assert_eq!(cited.because, "it says so");
    }
    assert_eq!(made.recommended_actions, reasoned.recommended_actions);
    assert_eq!(made.commands, reasoned.commands);
    assert_eq!(made.timeline, reasoned.timeline);
    assert_eq!(deliberation(&answer).verdicts.len(), 1);
    assert_eq!(deliberation(&answer).usage.calls, 1);
    let exchange = &deliberation(&answer).exchanges[0];
    assert_eq!((exchange.turn, exchange.status, exchange.took_ms), (1, Some(200), 7));
    assert_eq!(exchange.request_hash.len(), 64);
}

#[test]
fn one_constrained_answer_is_enough_for_a_model_without_tools() {
    let put = decided();
    let model = Scripted::saying(false, vec![says(put.agreeing(1).to_string())]);
    let answer = put.ask(model.clone());
    assert_eq!(deliberation(&answer).outcome, Outcome::Accepted);
    let asked = &model.requests()[0];
    assert!(asked.tools.is_empty());
    assert_eq!(asked.tool_choice, ToolChoice::None);
    let schema = asked.schema.as_ref().unwrap();
    // The sets are closed: what is not in the case cannot be said.
    let places = schema["properties"]["cause"]["properties"]["locus"]["enum"].as_array().unwrap();
    assert!(places.contains(&json!("store")) && places.contains(&json!("nothing")));
    assert_eq!(places.iter().filter(|place| place.as_str().unwrap().starts_with("api-9")).count(), 0);
    let ids = schema["properties"]["supporting"]["items"]["properties"]["evidence"]["enum"].as_array().unwrap();
    assert!(!ids.is_empty());
    assert!(ids.iter().all(|id| put.pack.items.iter().any(|item| item.id.0 == id.as_str().unwrap())));
}

#[test]
fn a_small_model_is_asked_for_few_words() {
    let most = |settings: DiagnoserSettings| {
        let put = Put { settings, ..decided() };
        let model = Scripted::saying(false, vec![says(put.agreeing(1).to_string())]);
        assert_eq!(deliberation(&put.ask(model.clone())).outcome, Outcome::Accepted);
        let schema = model.requests()[0].schema.clone().unwrap();
        let supporting = &schema["properties"]["supporting"];
        let reason = supporting["items"]["properties"]["why"]["maxLength"].as_u64().unwrap();
        let assessed = schema["properties"]["assessment"]["maxItems"].as_u64().unwrap();
        assessed * reason + supporting["maxItems"].as_u64().unwrap() * reason
    };
    let (small, large) = (most(DiagnoserSettings::local()), most(DiagnoserSettings::hosted()));
    assert!(small <= 400 && small * 2 <= large, "{small} characters of reasons, {large} elsewhere");
}

#[test]
fn a_call_written_as_text_is_read_as_one() {
    let put = decided();
    let call = json!({"name": "submit_diagnosis", "arguments": put.agreeing(1)});
    for text in [
        format!("```json\n{call}\n```"),
        format!("<tool_call>\n{call}\n</tool_call>"),
        format!("Here it is: {} {}", put.agreeing(1), "and so on ".repeat(500)),
    ] {
        let padded = reply(vec![Piece::Text { text, cache: false }], Stop::MaxTokens);
        let answer = put.ask(Scripted::saying(true, vec![padded]));
        assert_eq!(deliberation(&answer).outcome, Outcome::Accepted);
    }
}

#[test]
fn each_fault_is_told_once_and_then_the_reasoner_stands() {
    let put = decided();
    let spoilt = |field: &str, value: serde_json::Value| {
        let mut answer = put.agreeing(1);
        *answer.pointer_mut(field).unwrap() = value;
        answer
    };
    let mut against = put.agreeing(1);
    let foreign = put.ranked()[1].clone();
    against["cause"] = json!({"class": foreign.0, "locus": foreign.1});
    against["assessment"] = json!([]);
    // It cites what speaks neither for this cause nor against the first.
    let first = &put.reasoned.primary;
    let other = &put.reasoned.alternatives[0].hypothesis;
    let speaks = |id| {
        first.contradicting.iter().chain(&other.supporting).any(|one| one.id == id)
            || first.supporting.iter().any(|one| one.id == id)
    };
    let silent = put.pack.items.iter().find(|item| !speaks(item.id.clone())).unwrap();
    against["supporting"] = json!([{"evidence": silent.id, "why": "so it is"}]);
    let cases = [
        (spoilt("/supporting/0/evidence", json!("E999")), "\"E999\" is no id of the evidence"),
        (spoilt("/statement", json!("E999 shows it")), "\"E999\" is no id of the evidence"),
        (spoilt("/cause/class", json!("Gremlins")), "\"Gremlins\" is no class of cause"),
        (spoilt("/cause/locus", json!("api-77")), "\"api-77\" is no place in the evidence"),
        (spoilt("/cause/class", json!("LinkDown")), "a cause of class LinkDown cannot be at"),
        (spoilt("/recommended_action", json!("delete_everything")), "\"delete_everything\" is not good against"),
        (spoilt("/recommended_action", json!("set_price")), "\"set_price\" is not good against"),
        (
            spoilt("/statement", json!("the store takes 91827 ms")),
            "statement: the number \"91827\" is not in the evidence",
        ),
        (spoilt("/supporting/0/why", json!("it rose by 9182.7%")), "supporting: the number \"9182.7%\""),
        (spoilt("/statement", json!("cache-3 is slow")), "statement: \"cache-3\" is not in the evidence"),
        (spoilt("/supporting", json!([])), "nothing is cited for the cause"),
        (spoilt("/assessment/0/verdict", json!("reject")), "the cause is rank 1, which the assessment rejects"),
        (spoilt("/assessment/0/about", json!(40)), "rank 40 is not in the ranking"),
        (spoilt("/statement", json!(7)), "statement: expected a sentence"),
        (spoilt("/cause", json!("store")), "cause: expected an object with class and locus"),
        (against, "rank 1 is rejected without evidence that says so"),
        (json!([1, 2]), "answer: expected one JSON object"),
    ];
    for (bad, wording) in cases {
        for tools in [true, false] {
            let said = if tools { submits(bad.clone()) } else { says(bad.to_string()) };
            let model = Scripted::saying(tools, vec![said]);
            let answer = put.ask(model.clone());
            if !tools && !bad.is_object() {
                // Text without an object is no answer at all.
                assert!(why_fallen_back(&answer).contains("does not hold"));
                continue;
            }
            let faults = &deliberation(&answer).faults;
            assert!(faults.iter().any(|fault| fault.contains(wording)), "{wording}: {faults:?}");
            assert!(why_fallen_back(&answer).contains("the repaired answer does not hold either"));
            assert_eq!(answer.diagnosis, put.reasoned);
            let asked = model.requests();
            assert_eq!(asked.len(), 2);
            assert!(told(&asked[1]).iter().any(|text| text.contains(wording)), "{:?}", told(&asked[1]));
            if tools {
                assert_eq!(asked[1].tool_choice, ToolChoice::Named("submit_diagnosis".into()));
            }
        }
    }
}

#[test]
fn a_repaired_answer_is_used_and_its_faults_are_kept() {
    let put = decided();
    let mut bad = put.agreeing(1);
    bad["statement"] = json!("the store takes 91827 ms");
    let answer = put.ask(Scripted::saying(true, vec![submits(bad), submits(put.agreeing(1))]));
    assert_eq!(deliberation(&answer).outcome, Outcome::Repaired);
    assert_eq!(deliberation(&answer).faults.len(), 1);
    assert_eq!(answer.diagnosis.primary.statement, "this is the cause");
    assert_eq!(deliberation(&answer).usage.calls, 2);
}

#[test]
fn another_cause_on_evidence_is_taken_with_the_reasoners_probability() {
    let put = unsure();
    let mut other = put.agreeing(2);
    other["assessment"] = json!([{"about": 1, "evidence": [], "verdict": "reject", "why": "less fits"}]);
    let answer = put.ask(Scripted::saying(true, vec![submits(other)]));
    assert_eq!(deliberation(&answer).outcome, Outcome::Accepted, "{:?}", deliberation(&answer).faults);
    let second = &put.reasoned.alternatives[0].hypothesis;
    let made = &answer.diagnosis;
    assert_eq!((made.primary.class, &made.primary.locus), (second.class, &second.locus));
    assert_eq!(made.primary.probability, second.probability);
    assert_eq!(made.confidence.probability, second.probability);
    let remedies = second.remedies(&put.pack, &actions());
    let names = |list: &[operator_reasoner::RecommendedAction]| {
        list.iter().map(|one| (one.action.clone(), one.target.clone(), one.params.clone())).collect::<Vec<_>>()
    };
    assert_eq!(names(&made.recommended_actions), names(&remedies));
    // The reasoner's first is among the alternatives, with what the model made of it.
    let first = made.alternatives.iter().find(|one| one.hypothesis == put.reasoned.primary).unwrap();
    assert!(first.conclusion.contains("the model rejects it: less fits"), "{}", first.conclusion);
}

/// The same with a second cause that the reasoner considers, and thinks too far behind.
#[test]
fn a_considered_cause_that_is_too_far_behind_is_dissent() {
    let mut put = unsure();
    put.reasoned.alternatives[0].hypothesis.probability = 0.15;
    let mut other = put.agreeing(2);
    other["assessment"] = json!([{"about": 1, "evidence": [], "verdict": "reject", "why": "less fits"}]);
    let answer = put.ask(Scripted::saying(true, vec![submits(other)]));
    assert_eq!(deliberation(&answer).outcome, Outcome::Accepted, "{:?}", deliberation(&answer).faults);
    assert_eq!(answer.diagnosis.primary, put.reasoned.primary);
    assert!(deliberation(&answer).dissent.is_some());
}

fn clock_skew(on: &str, evidence: &str) -> serde_json::Value {
    json!({
        "assessment": [{"about": 1, "evidence": [evidence], "verdict": "reject", "why": "this speaks against it"}],
        "cause": {"class": "ClockSkew", "locus": on},
        "statement": format!("the clock of {on} is off"),
        "confidence": "high",
        "recommended_action": "wait",
        "supporting": [{"evidence": evidence, "why": "it is there"}],
    })
}

/// The reasoner decides, and something at a component speaks against what it decides.
fn contradicted(probability: f64) -> (Put, serde_json::Value) {
    let mut put = decided();
    let item = put.pack.items.iter().find(|item| item.on == put.reasoned.primary.locus).unwrap().clone();
    let against = EvidenceRef { id: item.id.clone(), because: "it does not fit".to_owned(), weight: -1.0 };
    put.reasoned.primary.probability = probability;
    put.reasoned.primary.contradicting.push(against);
    let answer = clock_skew(&item.on.to_string(), &item.id.0);
    (put, answer)
}

#[test]
fn a_cause_that_the_reasoner_does_not_consider_is_dissent_however_unsure_it_is() {
    let (put, other) = contradicted(0.5);
    let answer = put.ask(Scripted::saying(true, vec![submits(other)]));
    assert_eq!(deliberation(&answer).outcome, Outcome::Accepted, "{:?}", deliberation(&answer).faults);
    assert_eq!(answer.diagnosis.primary, put.reasoned.primary);
    let dissent = deliberation(&answer).dissent.as_deref().unwrap();
    assert!(dissent.contains("ClockSkew") && dissent.contains("more than a model's word"), "{dissent}");
}

/// As for a model that is measured alone.
#[test]
fn where_nobody_has_ranked_anything_the_models_cause_stands_without_a_probability() {
    let (mut put, mut other) = contradicted(0.5);
    put.reasoned.primary = operator_reasoner::Hypothesis {
        class: FaultClass::Unknown,
        locus: operator_protocols::Locus::Nothing,
        statement: "nobody has ranked anything".to_owned(),
        probability: 0.0,
        score: 0.0,
        supporting: Vec::new(),
        contradicting: Vec::new(),
    };
    put.reasoned.alternatives.clear();
    other["assessment"] = json!([]);
    let answer = put.ask(Scripted::saying(true, vec![submits(other)]));
    assert_eq!(deliberation(&answer).outcome, Outcome::Accepted, "{:?}", deliberation(&answer).faults);
    assert_eq!(answer.diagnosis.primary.class, FaultClass::ClockSkew);
    assert_eq!(answer.diagnosis.primary.probability, 0.0);
    assert_eq!(answer.diagnosis.confidence.word, "low");
}

/// The evidence does not decide, says the model: that holds against an unsure reasoner only.
#[test]
fn a_model_that_does_not_decide_outweighs_only_a_reasoner_that_is_less_than_three_parts_in_four_sure() {
    for (probability, stands) in [(0.76, true), (0.74, false)] {
        let (put, mut other) = contradicted(probability);
        other["cause"] = json!({"class": "Unknown", "locus": "nothing"});
        let answer = put.ask(Scripted::saying(true, vec![submits(other)]));
        assert_eq!(deliberation(&answer).outcome, Outcome::Accepted, "{:?}", deliberation(&answer).faults);
        assert_eq!(answer.diagnosis.abstained(), !stands, "at {probability}");
        assert_eq!(deliberation(&answer).dissent.is_some(), stands, "at {probability}");
    }
}

/// A small model names a cause always, also where nothing is wrong.
#[test]
fn a_cause_that_an_undecided_reasoner_does_not_leave_open_is_dissent() {
    let put = (0..60).map(|seed| Put::of(Fault::Symmetric, seed)).find(|put| put.reasoned.abstained()).unwrap();
    let on_store = put.pack.items.iter().find(|item| item.on.to_string() == "store").unwrap();
    assert!(put.ranked().iter().all(|(class, ..)| class != "ClockSkew"));
    let answer = put.ask(Scripted::saying(true, vec![submits(clock_skew("store", &on_store.id.0))]));
    assert_eq!(deliberation(&answer).outcome, Outcome::Accepted, "{:?}", deliberation(&answer).faults);
    assert!(answer.diagnosis.abstained());
    let dissent = deliberation(&answer).dissent.as_deref().unwrap();
    assert!(dissent.contains("ClockSkew on store") && dissent.contains("does not leave open"), "{dissent}");
}

/// A number of the evidence, told of other evidence than it stands in: the words go, what is cited stays.
#[test]
fn a_reason_tells_only_numbers_of_what_it_cites() {
    let put = decided();
    let (of, value) = put
        .pack
        .items
        .iter()
        .find_map(|item| match &item.kind {
            operator_reasoner::EvidenceKind::Deviation { value, .. } if *value > 0.0 => {
                Some((item.id.0.clone(), *value))
            }
            _ => None,
        })
        .unwrap();
    let other = put.ranked()[0].2.iter().find(|id| **id != of).unwrap().clone();
    let why = format!("it measures {value:.9}");
    let mut answer = put.agreeing(1);
    answer["supporting"] = json!([{"evidence": of, "why": why}, {"evidence": other, "why": why}]);
    answer["assessment"] = json!([{"about": 1, "evidence": [other], "verdict": "keep", "why": why}]);
    let answer = put.ask(Scripted::saying(true, vec![submits(answer)]));
    assert_eq!(deliberation(&answer).outcome, Outcome::Accepted, "{:?}", deliberation(&answer).faults);
    let said =
        |id: &str| answer.diagnosis.primary.supporting.iter().find(|one| one.id.0 == id).unwrap().because.clone();
    assert_eq!(said(&of), why);
    assert!(!said(&other).contains("it measures"), "{}", said(&other));
    assert_eq!(deliberation(&answer).verdicts[0].because, "");
    assert_eq!(deliberation(&answer).verdicts[0].evidence[0].0, other);
}

#[test]
fn a_wish_for_what_nobody_has_seen_is_left_out() {
    let put = decided();
    let mut wishing = put.agreeing(1);
    wishing["missing"] = json!(["the disk of cache-7", "what the store does meanwhile"]);
    let answer = put.ask(Scripted::saying(true, vec![submits(wishing)]));
    assert_eq!(deliberation(&answer).outcome, Outcome::Accepted);
    assert!(answer.diagnosis.missing.contains(&"what the store does meanwhile".to_owned()));
    assert!(!answer.diagnosis.missing.iter().any(|one| one.contains("cache-7")));
}

#[test]
fn against_a_firm_reasoner_another_cause_is_a_dissent() {
    let put = (0..60).map(|seed| Put::of(Fault::CallerDown, seed)).find(|put| put.reasoned.primary.probability >= 0.9);
    let put = put.unwrap();
    let rank = (2..=put.ranked().len()).find(|rank| !put.ranked()[rank - 1].2.is_empty()).unwrap();
    let mut other = put.agreeing(rank);
    other["statement"] = json!("it is something else");
    let answer = put.ask(Scripted::saying(true, vec![submits(other)]));
    assert_eq!(deliberation(&answer).outcome, Outcome::Accepted, "{:?}", deliberation(&answer).faults);
    assert_eq!(answer.diagnosis.primary, put.reasoned.primary);
    assert_eq!(answer.diagnosis.recommended_actions, put.reasoned.recommended_actions);
    assert!(deliberation(&answer).dissent.as_ref().unwrap().contains("it is something else"));
}

#[test]
fn whatever_goes_wrong_with_the_model_the_reasoner_stands() {
    let put = decided();
    let error = |error: ProviderError| Scripted::new(true, move |_, _| Err(error.clone().into()));
    let cases = [
        (Scripted::saying(true, vec![reply(Vec::new(), Stop::Refusal)]), "refuses to answer"),
        (Scripted::saying(true, vec![reply(Vec::new(), Stop::MaxTokens)]), "wrote as much as it may"),
        (Scripted::saying(true, vec![reply(Vec::new(), Stop::Other("pause\n".into()))]), "the model stopped: pause"),
        (Scripted::saying(true, vec![says("I would rather talk")]), "calls no tool and gives no answer"),
        (Scripted::saying(false, vec![says("I would rather talk")]), "does not hold either"),
        (Scripted::saying(true, vec![calls("list_events", json!({}))]), "no answer within 12 turns"),
        (error(ProviderError::Budget { why: "money".into() }), "the budget does not allow another call: money"),
        (error(ProviderError::Lost { why: "no route".into() }), "no whole answer: no route"),
        (error(ProviderError::Garbled { why: "no JSON".into() }), "not an answer of this wire format"),
        (error(ProviderError::Refused { status: 401, why: "key".into() }), "status 401: key"),
        (error(ProviderError::Busy { status: 529, why: "busy".into(), retry_after_ms: None }), "status 529: busy"),
    ];
    for (model, why) in cases {
        let answer = put.ask(model);
        assert!(why_fallen_back(&answer).contains(why), "{why}: {}", why_fallen_back(&answer));
        assert_eq!(answer.diagnosis, put.reasoned);
        assert!(!deliberation(&answer).exchanges.is_empty());
    }
}

#[test]
fn when_the_time_is_over_no_further_call_is_made() {
    let put = decided();
    let clock = put.clock.clone();
    let model = Scripted::new(true, move |_, _| {
        *clock.0.lock().unwrap() += 25_000;
        Ok(calls("list_events", json!({})))
    });
    let answer = put.ask(model.clone());
    assert_eq!(why_fallen_back(&answer), "no answer within 60 s");
    assert_eq!(model.requests().len(), 3);
}

/// Time that passes only when it is slept away.
#[derive(Default)]
struct Slept(std::sync::Mutex<std::time::Duration>);

impl Pace for Slept {
    fn now(&self) -> std::time::Duration {
        *self.0.lock().unwrap()
    }

    fn sleep(&self, time: std::time::Duration) -> BoxFuture<'_, ()> {
        *self.0.lock().unwrap() += time;
        Box::pin(std::future::ready(()))
    }

    fn chance(&self) -> f64 {
        0.5
    }
}

#[test]
fn a_budget_is_held_for_each_investigation_and_what_was_turned_away_is_kept() {
    let put = decided();
    let good = put.agreeing(1);
    let model = Scripted::new(true, move |n, _| match n {
        0 => Err(ProviderError::Busy { status: 529, why: "busy".into(), retry_after_ms: Some(2_000) }.into()),
        _ => Ok(submits(good.clone())),
    });
    let ask = |budget: Budget| {
        let diagnoser = LlmDiagnoser::new(model.clone(), put.settings.clone(), put.clock.clone()).within(
            budget,
            Patience::default(),
            std::sync::Arc::new(Slept::default()),
        );
        put.put_to(&diagnoser)
    };
    let free = Budget { micro_usd: 100_000_000, ..Budget::HOSTED };
    let answer = ask(free);
    assert_eq!(deliberation(&answer).outcome, Outcome::Accepted);
    let kept: Vec<_> = deliberation(&answer).exchanges.iter().map(|one| (one.turn, one.error.is_some())).collect();
    assert_eq!(kept, [(1, true), (1, false)]);
    // The budget is one for each: the second investigation begins with all of it.
    assert_eq!(deliberation(&ask(free)).outcome, Outcome::Accepted);

    let asked = model.requests().len();
    let poor = ask(Budget { micro_usd: 1, ..Budget::HOSTED });
    assert!(why_fallen_back(&poor).starts_with("the budget does not allow another call"), "{}", why_fallen_back(&poor));
    assert_eq!(poor.diagnosis, put.reasoned);
    assert_eq!(model.requests().len(), asked, "it was asked for money that is not there");
}

#[test]
fn without_the_reasoners_answer_it_is_asked_for() {
    let put = decided();
    let diagnoser = operator_llm::LlmDiagnoser::new(
        Scripted::saying(true, vec![reply(Vec::new(), Stop::Refusal)]),
        put.settings.clone(),
        put.clock.clone(),
    );
    let inquiry =
        operator_reasoner::Inquiry { pack: &put.pack, actions: &actions(), investigation: &put.spy, reasoned: None };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let answer = runtime.block_on(operator_reasoner::Diagnoser::diagnose(&diagnoser, inquiry)).unwrap();
    assert_eq!(answer.diagnosis, put.reasoned);
}

#[test]
fn the_evidence_fits_a_small_context_and_says_what_was_left_out() {
    for (fault, seed) in [(Fault::StoreSlow, 1), (Fault::StoreFailing, 2), (Fault::DataLoss, 3), (Fault::Nothing, 4)] {
        let mut put = Put::of(fault, seed);
        put.settings.pack_tokens = 900;
        let model = Scripted::saying(false, vec![says("{}")]);
        put.ask(model.clone());
        let text = told(&model.requests()[0]).remove(0);
        let view: serde_json::Value = serde_json::from_str(&text).unwrap();
        let shown = view["evidence"].as_array().unwrap().len();
        assert_eq!(view["left_out"]["evidence"], put.pack.items.len() - shown);
        assert!(shown > 0 || put.pack.items.is_empty());
        assert!(text.len() < 900 * 3 + 200, "{}", text.len());
        // The first two of the ranking are shown in any case.
        let ranks = view["ranking"].as_array().unwrap().len();
        assert!(ranks >= put.ranked().len().min(2));
        assert_eq!(view["left_out"]["ranking"], put.ranked().len() - ranks);
        if !put.world.violations.is_empty() {
            assert!(view["evidence"][0]["says"].as_str().unwrap().contains("violated on"));
        }
    }
}
