//! Questions that an investigation may put: each one reading, none writing.

use operator_protocols::{
    Locus, ParamDefinition, ParamKind, ParamSource, ProbeAnswer, ProbeDefinition, ProbeRequest, Timestamp, Unavailable,
    Value,
};

use crate::check::{self, Asker, Said};
use crate::file::{Component, SystemFile};
use crate::{limits, scrape};

const CHECK: &str = "check";
const METRIC: &str = "metric";
const NAME: &str = "name";
/// Series of an answer.
const SERIES: usize = 50;

/// The questions.
pub(crate) fn definitions() -> Vec<ProbeDefinition> {
    vec![
        ProbeDefinition {
            name: CHECK.to_owned(),
            description: "What the checks of a component say now, and how long each takes".to_owned(),
            params: Vec::new(),
        },
        ProbeDefinition {
            name: METRIC.to_owned(),
            description: format!("The series of one metric of a component, at most {SERIES}"),
            params: vec![ParamDefinition {
                name: NAME.to_owned(),
                description: "The name of the metric, suffixes such as _total included".to_owned(),
                kind: ParamKind::Text { max_bytes: 200 },
                source: ParamSource::Policy,
                default: None,
            }],
        },
    ]
}

/// Answers one.
pub(crate) async fn answer(
    subject: &str,
    file: &SystemFile,
    asker: &Asker,
    request: &ProbeRequest,
    at: Timestamp,
) -> ProbeAnswer {
    ProbeAnswer { as_of: at, answer: ask(subject, file, asker, request, at).await }
}

async fn ask(
    subject: &str,
    file: &SystemFile,
    asker: &Asker,
    request: &ProbeRequest,
    at: Timestamp,
) -> Result<Value, Unavailable> {
    let gap = |why: String| Unavailable::new(&request.probe, why);
    let known = definitions();
    let definition = known.iter().find(|definition| definition.name == request.probe);
    let definition = definition.ok_or_else(|| gap(format!("there is no such probe; there are {CHECK}, {METRIC}")))?;
    definition.validate(&request.params).map_err(|error| gap(error.to_string()))?;
    let component = target(subject, file, &request.target);
    let component =
        component.ok_or_else(|| gap(format!("it must be asked of a component, not of {}", request.target)))?;
    if request.probe == CHECK {
        return Ok(checks(asker, component, at).await);
    }
    let metrics = component.metrics.as_ref().ok_or_else(|| gap(format!("{} has no metrics", component.name)))?;
    let exposition = scrape::one(&asker.http, metrics).await.map_err(gap)?;
    let name = request.params.get(NAME).and_then(Value::as_str).unwrap_or_default();
    let series = exposition.samples(name, &[]).take(SERIES).map(|sample| {
        let labels = sample.labels.iter().map(|(label, value)| (label.as_str(), Value::from(bounded(value))));
        Value::map([("labels", Value::map(labels)), ("value", Value::from(sample.value))])
    });
    Ok(Value::List(series.collect()))
}

fn target<'f>(subject: &str, file: &'f SystemFile, target: &Locus) -> Option<&'f Component> {
    match target {
        Locus::Component(id) if id.subject == subject => file.component(&id.local),
        _ => None,
    }
}

async fn checks(asker: &Asker, component: &Component, at: Timestamp) -> Value {
    let checked = check::component(asker, component, at).await;
    let said = checked.said.into_iter().map(|(_, said)| match said {
        Said::Well(time) => Value::map([("well", Value::from(true)), ("seconds", Value::from(time.as_secs_f64()))]),
        Said::Fails(why) => Value::map([("well", Value::from(false)), ("why", Value::from(why))]),
        Said::Untold(why) => Value::map([("well", Value::Null), ("why", Value::from(why))]),
    });
    Value::List(said.collect())
}

fn bounded(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(limits::KEY_BYTES).collect()
}
