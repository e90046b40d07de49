//! What nobody should send, and a subject must withstand.

use std::collections::BTreeMap;

use crate::{
    Component, ComponentState, EventId, Locus, Observation, ParamDefinition, ParamKind, Timestamp, Unavailable, Value,
};

/// Sets of parameters that do not fit, each with what is wrong, made from one that does.
pub(super) fn hostile_params(
    definitions: &[ParamDefinition],
    fitting: &BTreeMap<String, Value>,
) -> Vec<(String, BTreeMap<String, Value>)> {
    let with = |name: &str, value: Value| {
        let mut params = fitting.clone();
        params.insert(name.to_owned(), value);
        params
    };
    let mut sets = vec![("an unknown parameter".to_owned(), with("no_such_parameter", Value::Int(1)))];
    for definition in definitions {
        let name = &definition.name;
        if definition.default.is_none() {
            let mut params = fitting.clone();
            params.remove(name);
            sets.push((format!("no {name}"), params));
        }
        let hostile = hostile_values(&definition.kind).into_iter().filter(|value| !definition.kind.admits(value));
        sets.extend(hostile.map(|value| {
            let shown: String = value.to_string().chars().take(40).collect();
            (format!("{name} = {shown}"), with(name, value))
        }));
    }
    sets
}

fn hostile_values(kind: &ParamKind) -> Vec<Value> {
    let mut values = vec![Value::Null, Value::List(vec![Value::Null]), Value::Map(BTreeMap::new())];
    match kind {
        ParamKind::Integer { min, max } => {
            values.extend(
                [min.checked_sub(1), max.checked_add(1), Some(i64::MIN), Some(i64::MAX)]
                    .into_iter()
                    .flatten()
                    .map(Value::Int),
            );
            values.extend([Value::Uint(u64::MAX), Value::Float(f64::NAN), min.to_string().into()]);
        }
        ParamKind::Number { min, max } => {
            let outside = [min - 1.0, max + 1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
            values.extend(outside.map(Value::Float));
            values.push(min.to_string().into());
        }
        ParamKind::Text { max_bytes } => {
            let too_long = usize::try_from(*max_bytes).unwrap_or(usize::MAX).saturating_add(1).min(1 << 20);
            values.extend(["".into(), "a\0b".into(), "a\r\nb".into(), "x".repeat(too_long).into(), Value::Int(1)]);
        }
        ParamKind::OneOf { .. } => values.extend(["".into(), "no such word".into(), Value::Int(0)]),
        ParamKind::Bool => values.extend(["true".into(), Value::Int(1)]),
    }
    values
}

/// Targets that an action which accepts `fitting` must refuse, each with what is wrong.
pub(super) fn hostile_targets(fitting: &Locus) -> Vec<(&'static str, Locus)> {
    const STRANGER: &str = "another-subject";
    match fitting {
        Locus::Component(id) => vec![
            ("a component of another subject", Locus::component(STRANGER, &*id.local)),
            ("a component that is not there", Locus::component(&*id.subject, "no-such-component")),
            ("a component with a hostile name", Locus::component(&*id.subject, "../\0?x=1#\r\n")),
            ("a link", Locus::Edge(id.clone(), id.clone())),
            ("an event", Locus::Change(EventId::new(&*id.subject, &*id.local))),
        ],
        Locus::Entity(entity) => vec![
            ("an entity of another subject", Locus::entity(STRANGER, &*entity.kind, &*entity.key)),
            ("an entity of another kind", Locus::entity(&*entity.subject, "no_such_kind", &*entity.key)),
            ("a component", Locus::component(&*entity.subject, &*entity.key)),
        ],
        Locus::Nothing => vec![("a component", Locus::component(STRANGER, "x"))],
        Locus::Edge(..) | Locus::Group(_) | Locus::Change(_) => Vec::new(),
    }
}

/// Observations no subject should make, but a recording or another version may hold, each with what is odd.
pub(super) fn hostile_observations(seen: &Observation) -> Vec<(String, Observation)> {
    let changed = |what: &str, change: &dyn Fn(&mut Observation)| {
        let mut odd = seen.clone();
        change(&mut odd);
        (what.to_owned(), odd)
    };
    let mut odd = vec![
        ("an empty observation".to_owned(), Observation::new(seen.at)),
        changed("the beginning of time", &|odd| odd.at = Timestamp::from_millis(i64::MIN)),
        changed("the end of time", &|odd| odd.at = Timestamp::from_millis(i64::MAX)),
        changed("no component", &|odd| odd.components.clear()),
        changed("no signal", &|odd| odd.signals.clear()),
        changed("no details", &|odd| odd.details.clear()),
        changed("every component twice", &|odd| odd.components.extend(seen.components.iter().cloned())),
        changed("a component of a strange kind", &|odd| {
            odd.components.push(Component {
                id: crate::Id::new("another-subject", ""),
                kind: String::new(),
                address: Some("\0".to_owned()),
                state: ComponentState::Unknown,
                raw_state: String::new(),
                version: None,
                labels: BTreeMap::new(),
            });
        }),
        changed("unavailable parts", &|odd| odd.unavailable.push(Unavailable::new("everything", ""))),
        changed("events and logs from the end of time", &|odd| {
            odd.events.iter_mut().for_each(|event| event.at = Timestamp::from_millis(i64::MAX));
            odd.logs.iter_mut().for_each(|line| line.at = Timestamp::from_millis(i64::MIN));
        }),
    ];
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN, -1.0, 0.0] {
        let all = |odd: &mut Observation| odd.signals.iter_mut().for_each(|signal| signal.value = number);
        odd.push(changed(&format!("every reading {number}"), &all));
    }
    for instant in [i64::MIN, i64::MAX] {
        let date = |odd: &mut Observation| {
            odd.signals.iter_mut().for_each(|signal| signal.observed_at = Timestamp::from_millis(instant));
        };
        odd.push(changed(&format!("every reading dated {instant}"), &date));
    }
    for strange in strange_values() {
        for key in seen.details.keys() {
            let put = |odd: &mut Observation| {
                odd.details.insert(key.clone(), strange.clone());
            };
            odd.push(changed(&format!("details.{key} = {strange}"), &put));
        }
        let inside = |odd: &mut Observation| odd.details.values_mut().for_each(|value| replace_leaves(value, &strange));
        odd.push(changed(&format!("{strange} everywhere in details"), &inside));
    }
    odd
}

fn strange_values() -> [Value; 8] {
    [
        Value::Null,
        Value::Bool(true),
        Value::Int(-1),
        Value::Int(i64::MIN),
        Value::Uint(u64::MAX),
        Value::Text("\u{fffd}".to_owned()),
        Value::List(Vec::new()),
        Value::Map(BTreeMap::new()),
    ]
}

/// Keeps the shape of lists and maps, and puts `strange` for everything in them.
fn replace_leaves(value: &mut Value, strange: &Value) {
    match value {
        Value::List(list) => list.iter_mut().for_each(|value| replace_leaves(value, strange)),
        Value::Map(map) => map.values_mut().for_each(|value| replace_leaves(value, strange)),
        leaf => *leaf = strange.clone(),
    }
}
