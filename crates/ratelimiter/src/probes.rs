//! Questions that an investigation may put: each one reading, none writing.

use std::collections::BTreeMap;

use operator_protocols::{Locus, ProbeAnswer, ProbeDefinition, ProbeRequest, Timestamp, Unavailable, Value};

use crate::actions::Context;
use crate::names::{KEY, NODE};

const COUNTER: &str = "counter";
const DRAIN: &str = "drain_state";
const LIMIT: &str = "limit_record";
const LIVEZ: &str = "livez";
const REDIS: &str = "redis_info";
const REGISTRY: &str = "registry";

/// The questions.
pub(crate) fn definitions() -> Vec<ProbeDefinition> {
    [
        (COUNTER, "What a node tells of a key's counter, with what Redis recorded for it a second and a writer"),
        (DRAIN, "Whether a node is drained, by whom and until when"),
        (LIMIT, "The stored limit of a key, and what was stored before"),
        (LIVEZ, "Whether a node answers now, and how long it takes"),
        (REDIS, "What the expected Redis says of itself"),
        (REGISTRY, "The nodes as the registry in Redis has them, with the age of their heartbeats"),
    ]
    .into_iter()
    .map(|(name, description)| ProbeDefinition {
        name: name.to_owned(),
        description: description.to_owned(),
        params: Vec::new(),
    })
    .collect()
}

/// Answers one.
pub(crate) async fn answer(context: &Context<'_>, request: &ProbeRequest, at: Timestamp) -> ProbeAnswer {
    ProbeAnswer { as_of: at, answer: ask(context, request).await }
}

async fn ask(context: &Context<'_>, request: &ProbeRequest) -> Result<Value, Unavailable> {
    let what = request.probe.as_str();
    let known = definitions();
    let definition = known.iter().find(|definition| definition.name == what).ok_or_else(|| {
        let names: Vec<_> = known.iter().map(|definition| definition.name.as_str()).collect();
        Unavailable::new(what, format!("there is no such probe; there are {}", names.join(", ")))
    })?;
    definition.validate(&request.params).map_err(|error| Unavailable::new(what, error.to_string()))?;
    let inspected = |error: crate::inspector::InspectorError| Unavailable::new(what, error.chain());
    match what {
        LIVEZ | DRAIN => {
            let node = of_kind(context, request, NODE)?;
            let endpoint =
                context.endpoint(node).ok_or_else(|| Unavailable::new(what, "the node may not be contacted"))?;
            if what == LIVEZ {
                let took = context.client.livez(endpoint).await.map_err(|error| error.unavailable(what))?;
                return Ok(Value::map([("seconds", Value::from(took.as_secs_f64()))]));
            }
            let drain = context.client.drain_state(endpoint, node).await.map_err(|error| error.unavailable(what))?;
            Ok(Value::map([
                ("draining", Value::from(drain.draining)),
                ("owner", drain.owner.into()),
                ("until", drain.until.into()),
                ("version", drain.version.into()),
            ]))
        }
        COUNTER => {
            let key = of_kind(context, request, KEY)?;
            let mut why = Unavailable::new(what, "no node can be asked");
            for endpoint in context.targets.iter().filter_map(|target| target.endpoint.as_ref()) {
                match context.client.counter(endpoint, key).await {
                    Ok(counter) => {
                        return serde_json::from_value(counter)
                            .map_err(|error| Unavailable::new(what, error.to_string()));
                    }
                    Err(error) => why = error.unavailable(what),
                }
            }
            Err(why)
        }
        LIMIT => {
            let key = of_kind(context, request, KEY)?.to_owned();
            let redis = context.inspector.connect().await.map_err(inspected)?;
            let records = redis.limit_records(std::slice::from_ref(&key)).await.map_err(inspected)?;
            let record = records.get(&key).map(serde_json::to_value).transpose();
            let record = record.map_err(|error| Unavailable::new(what, error.to_string()))?.unwrap_or_default();
            serde_json::from_value(record).map_err(|error| Unavailable::new(what, error.to_string()))
        }
        REDIS => {
            let redis = context.inspector.connect().await.map_err(inspected)?;
            let info = redis.info().await.map_err(inspected)?;
            let text =
                |text: &String| Value::from(text.chars().filter(|c| !c.is_control()).take(200).collect::<String>());
            Ok(Value::map(info.fields().iter().take(400).map(|(name, value)| (name.clone(), text(value)))))
        }
        _ => {
            let redis = context.inspector.connect().await.map_err(inspected)?;
            let registry = redis.registry().await.map_err(inspected)?;
            let nodes: BTreeMap<String, Value> = registry
                .nodes
                .iter()
                .map(|(id, node)| {
                    let age = registry.now_us.saturating_sub(node.heartbeat_us) as f64 / 1e6;
                    let of_node = Value::map([
                        ("state", Value::from(format!("{:?}", node.state))),
                        ("heartbeat_age_s", age.into()),
                        ("boot_id", node.boot_id.clone().into()),
                        ("address", node.address.as_ref().map(ToString::to_string).into()),
                    ]);
                    (id.clone(), of_node)
                })
                .collect();
            Ok(Value::Map(nodes))
        }
    }
}

/// The name of the target, if it is of this kind.
fn of_kind<'a>(context: &Context<'_>, request: &'a ProbeRequest, kind: &str) -> Result<&'a str, Unavailable> {
    if context.kind_of(&request.target) == Some(kind) {
        return Ok(match &request.target {
            Locus::Component(id) => &id.local,
            Locus::Entity(entity) => &entity.key,
            _ => "",
        });
    }
    Err(Unavailable::new(request.probe.as_str(), format!("it must be asked of a {kind}, not of {}", request.target)))
}
