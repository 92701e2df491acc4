//! Two answers, held against each other field by field.

use std::collections::BTreeMap;

use crate::normal::identity_of;
use crate::side::Answer;
use crate::value::Value;

/// What one side has and the other has not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// Where: names of fields, and in brackets which element of a list. Empty for the answer as a whole.
    pub path: String,
    /// What Kafka says there.
    pub kafka: String,
    /// What Highwater says there.
    pub ours: String,
}

/// All differences of two answers.
pub fn differences(kafka: &Answer, ours: &Answer) -> Vec<Difference> {
    let mut found = Vec::new();
    match (kafka, ours) {
        (Answer::Body(kafka), Answer::Body(ours)) => compare(String::new(), kafka, ours, &mut found),
        (kafka, ours) if kafka == ours => {}
        (kafka, ours) => found.push(Difference { path: String::new(), kafka: kafka.text(), ours: ours.text() }),
    }
    found
}

fn compare(path: String, kafka: &Value, ours: &Value, found: &mut Vec<Difference>) {
    match (kafka, ours) {
        (Value::Fields(kafka), Value::Fields(ours)) => {
            let is_refused = kafka.iter().any(|(name, code)| name == "error_code" && *code != Value::word(0));
            for (name, value) in kafka {
                // A word more to an error is welcome.
                if is_refused
                    && name == "error_message"
                    && (*value == Value::Null || *value == Value::Text(String::new()))
                {
                    continue;
                }
                let other = ours.iter().find(|(other, _)| other == name).map(|(_, value)| value);
                both(join(&path, name), Some(value), other, found);
            }
            for (name, value) in ours.iter().filter(|(name, _)| kafka.iter().all(|(other, _)| other != name)) {
                both(join(&path, name), None, Some(value), found);
            }
        }
        // One difference, not one for each element.
        (Value::List(kafka), Value::List(ours)) if kafka.is_empty() != ours.is_empty() => {
            let (kafka, ours) = (format!("{} elements", kafka.len()), format!("{} elements", ours.len()));
            found.push(Difference { path, kafka, ours });
        }
        (Value::List(kafka), Value::List(ours)) => {
            let (kafka, ours) = (by_identity(kafka), by_identity(ours));
            for (name, value) in &kafka {
                both(format!("{path}[{name}]"), Some(value), ours.get(name).copied(), found);
            }
            for (name, value) in ours.iter().filter(|(name, _)| !kafka.contains_key(*name)) {
                both(format!("{path}[{name}]"), None, Some(value), found);
            }
        }
        (kafka, ours) if kafka == ours => {}
        (kafka, ours) => found.push(Difference { path, kafka: kafka.flat(), ours: ours.flat() }),
    }
}

fn both(path: String, kafka: Option<&Value>, ours: Option<&Value>, found: &mut Vec<Difference>) {
    match (kafka, ours) {
        (Some(kafka), Some(ours)) => compare(path, kafka, ours, found),
        (kafka, ours) => {
            let said = |value: Option<&Value>| value.map_or_else(|| "absent".to_owned(), Value::flat);
            found.push(Difference { path, kafka: said(kafka), ours: said(ours) });
        }
    }
}

fn by_identity(list: &[Value]) -> BTreeMap<String, &Value> {
    let mut named = BTreeMap::new();
    for value in list {
        let name = identity_of(value);
        let twins = (1..).map(|twin| if twin == 1 { name.clone() } else { format!("{name}#{twin}") });
        let free = twins.into_iter().find(|name| !named.contains_key(name)).expect("some number is free");
        named.insert(free, value);
    }
    named
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
