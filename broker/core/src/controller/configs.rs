//! Settings of topics, brokers, groups and client metrics are changed.
//!
//! Which refusal wins follows Kafka: a resource or a key named twice, a null value, an unknown type of resource; then the
//! operation, each key with its value, all of them together; and only then whether the resource exists.

use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::message::alter_configs_response::AlterConfigsResourceResponse;
use highwater_protocol::message::incremental_alter_configs_response::AlterConfigsResourceResponse as IncrementalResponse;
use highwater_protocol::message::{
    AlterConfigsRequest, AlterConfigsResponse, IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse,
};

use super::Reply;
use super::change::Change;
use super::image::{Image, ResourceType};
use super::topics::{check_legal, doubled, set};
use crate::config::{ConfigDef, ConfigType, Settings, check, check_topic, find, table};

/// The longest value that is kept.
const VALUE_BYTES: usize = 32_767;

const SET: i8 = 0;
const DELETE: i8 = 1;
const APPEND: i8 = 2;
const SUBTRACT: i8 = 3;

type Refused = (ErrorCode, String);

/// One resource of a request.
struct Wanted<'a> {
    kind: i8,
    resource: &'a str,
    operations: Vec<Operation<'a>>,
}

/// One key of a resource.
struct Operation<'a> {
    name: &'a str,
    operation: i8,
    value: Option<&'a str>,
}

/// AlterConfigs: what is not named is set no more.
pub(super) fn replace(image: &Image, request: &AlterConfigsRequest) -> (Vec<Change>, Reply) {
    let twice = doubled(request.resources.iter().map(|one| (one.resource_type, one.resource_name.as_str())));
    let mut changes = Vec::new();
    let mut responses = Vec::new();
    for resource in &request.resources {
        let set = |name, value| Operation { name, operation: SET, value };
        let wanted = Wanted {
            kind: resource.resource_type,
            resource: &resource.resource_name,
            operations: resource.configs.iter().map(|config| set(&config.name, config.value.as_deref())).collect(),
        };
        let is_twice = twice.contains(&(wanted.kind, wanted.resource));
        let verdict = decided(image, &wanted, is_twice, |_| Settings::new());
        let mut response = AlterConfigsResourceResponse {
            resource_type: resource.resource_type,
            resource_name: resource.resource_name.clone(),
            ..AlterConfigsResourceResponse::default()
        };
        (response.error_code, response.error_message) = taken(verdict, request.validate_only, &mut changes);
        responses.push(response);
    }
    (changes, Reply::AlterConfigs(AlterConfigsResponse { responses, ..AlterConfigsResponse::default() }))
}

/// IncrementalAlterConfigs: only what is named changes.
pub(super) fn change(image: &Image, request: &IncrementalAlterConfigsRequest) -> (Vec<Change>, Reply) {
    let twice = doubled(request.resources.iter().map(|one| (one.resource_type, one.resource_name.as_str())));
    let mut changes = Vec::new();
    let mut responses = Vec::new();
    for resource in &request.resources {
        let operation = |name, operation, value| Operation { name, operation, value };
        let wanted = Wanted {
            kind: resource.resource_type,
            resource: &resource.resource_name,
            operations: resource
                .configs
                .iter()
                .map(|config| operation(&config.name, config.config_operation, config.value.as_deref()))
                .collect(),
        };
        let is_twice = twice.contains(&(wanted.kind, wanted.resource));
        let verdict = decided(image, &wanted, is_twice, Settings::clone);
        let mut response = IncrementalResponse {
            resource_type: resource.resource_type,
            resource_name: resource.resource_name.clone(),
            ..IncrementalResponse::default()
        };
        (response.error_code, response.error_message) = taken(verdict, request.validate_only, &mut changes);
        responses.push(response);
    }
    let response = IncrementalAlterConfigsResponse { responses, ..IncrementalAlterConfigsResponse::default() };
    (changes, Reply::IncrementalAlterConfigs(response))
}

fn taken(
    verdict: Result<Vec<Change>, Refused>,
    validate_only: bool,
    changes: &mut Vec<Change>,
) -> (i16, Option<String>) {
    match verdict {
        Ok(_) if validate_only => (0, None),
        Ok(mut all) => {
            changes.append(&mut all);
            (0, None)
        }
        Err((code, message)) => (code.number(), Some(message)),
    }
}

/// The changes that one resource asks for, from the settings that `before` makes of those in force.
fn decided(
    image: &Image,
    wanted: &Wanted<'_>,
    is_twice: bool,
    before: impl FnOnce(&Settings) -> Settings,
) -> Result<Vec<Change>, Refused> {
    let invalid = |message: String| (ErrorCode::InvalidRequest, message);
    if is_twice {
        return Err(invalid("Each resource must appear at most once.".to_owned()));
    }
    let names = || wanted.operations.iter().map(|one| one.name);
    if !doubled(names()).is_empty() {
        return Err(invalid("Error due to duplicate config keys".to_owned()));
    }
    let is_null = |one: &&Operation<'_>| one.value.is_none() && one.operation != DELETE;
    if let Some(null) = wanted.operations.iter().find(is_null) {
        return Err(invalid(format!("Null value not supported for : {}", null.name)));
    }
    let kind = ResourceType::from_number(wanted.kind)
        .ok_or_else(|| invalid(format!("Unknown resource type {}", wanted.kind)))?;
    check_resource_name(kind, wanted.resource)?;
    if kind == ResourceType::Broker
        && wanted.resource.is_empty()
        && let Some(listener) = names().find(|name| name.contains("listener"))
    {
        return Err(invalid(format!("{listener} is set for one broker, not for all")));
    }
    let now = image.settings(kind, wanted.resource);
    let mut after = before(now);
    for one in &wanted.operations {
        match operated(kind, now, one)? {
            Some(value) => after.insert(one.name.to_owned(), value),
            None => after.remove(one.name),
        };
    }
    if kind == ResourceType::Topic {
        check_topic(&after).map_err(|reason| (ErrorCode::InvalidConfig, reason))?;
    }
    check_existence(image, kind, wanted.resource)?;
    let gone = now.keys().filter(|name| !after.contains_key(*name)).map(|name| (name, None));
    let new = after.iter().filter(|(name, value)| now.get(*name) != Some(*value));
    let changed = gone.chain(new.map(|(name, value)| (name, Some(value.clone()))));
    Ok(changed.map(|(name, value)| set(kind, wanted.resource, name, value)).collect())
}

/// The value after SET, DELETE, APPEND or SUBTRACT. What is deleted need not exist, nor be known.
fn operated(kind: ResourceType, now: &Settings, one: &Operation<'_>) -> Result<Option<String>, Refused> {
    if one.operation == DELETE {
        return Ok(None);
    }
    let def = definition(kind, one.name)?;
    let value = one.value.unwrap_or_default();
    let result = match one.operation {
        SET => value.to_owned(),
        APPEND | SUBTRACT if def.is_none_or(|def| def.kind != ConfigType::List) => {
            let what = if one.operation == APPEND { "APPEND" } else { "SUBTRACT" };
            let message = format!("Can't {what} to key {} because its type is not LIST.", one.name);
            return Err((ErrorCode::InvalidConfig, message));
        }
        APPEND | SUBTRACT => {
            let words = |list: &str| -> Vec<String> {
                list.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()
            };
            // An empty list to append is one empty word, which no list takes.
            let added = if value.is_empty() && one.operation == APPEND { vec![String::new()] } else { words(value) };
            let mut left =
                words(now.get(one.name).map(String::as_str).or(def.and_then(|def| def.default)).unwrap_or_default());
            for word in added {
                if one.operation == SUBTRACT {
                    left.retain(|known| *known != word);
                } else if !left.contains(&word) {
                    left.push(word);
                }
            }
            left.join(",")
        }
        other => return Err((ErrorCode::InvalidRequest, format!("Unknown operation type {other}"))),
    };
    if result.len() > VALUE_BYTES {
        let message =
            format!("The configuration value of {} exceeds the maximum value size of {VALUE_BYTES} bytes.", one.name);
        return Err((ErrorCode::InvalidConfig, message));
    }
    if let Some(def) = def {
        check_value(kind, def, &result)?;
        check_threads(def, now, &result)?;
    }
    Ok(Some(result))
}

/// Threads are not changed by leaps, as in Kafka.
fn check_threads(def: &ConfigDef, now: &Settings, value: &str) -> Result<(), Refused> {
    const THREADS: [&str; 6] = [
        "background.threads",
        "log.cleaner.threads",
        "num.io.threads",
        "num.network.threads",
        "num.recovery.threads.per.data.dir",
        "num.replica.fetchers",
    ];
    let current =
        now.get(def.name).map(String::as_str).or(def.default).and_then(|value| value.trim().parse::<i64>().ok());
    match (current, value.trim().parse::<i64>()) {
        (Some(current), Ok(wanted)) if THREADS.contains(&def.name) => {
            let (low, high): (i64, i64) = (current / 2, current * 2);
            if wanted >= 1 && (low..=high).contains(&wanted) {
                return Ok(());
            }
            let message = format!("{} is {current}, and changes to between {low} and {high} at a time", def.name);
            Err((ErrorCode::InvalidRequest, message))
        }
        _ => Ok(()),
    }
}

/// A broker's bad value is INVALID_REQUEST in Kafka, everybody else's INVALID_CONFIG.
fn check_value(kind: ResourceType, def: &ConfigDef, value: &str) -> Result<(), Refused> {
    let code = if kind == ResourceType::Broker { ErrorCode::InvalidRequest } else { ErrorCode::InvalidConfig };
    check(def, value).map_err(|reason| (code, reason))?;
    match (kind, def.name) {
        (ResourceType::Group, "share.auto.offset.reset")
            if !matches!(value, "earliest" | "latest") && !value.starts_with("by_duration:") =>
        {
            Err((ErrorCode::InvalidConfig, format!("{value} is none of earliest, latest and by_duration:<duration>")))
        }
        (ResourceType::Group, name) => check_group_value(name, value),
        (ResourceType::ClientMetrics, "interval.ms")
            if !value.trim().parse::<i64>().is_ok_and(|ms| (100..=3_600_000).contains(&ms)) =>
        {
            let message =
                format!("Invalid value {value} for interval.ms, interval must be between 100 and 3600000 (1 hour)");
            Err((ErrorCode::InvalidRequest, message))
        }
        (ResourceType::ClientMetrics, "match") => {
            match value.split(',').map(str::trim).filter(|word| !word.is_empty()).find(|word| !is_pattern(word)) {
                Some(word) => Err((ErrorCode::InvalidConfig, format!("Illegal client matching pattern: {word}"))),
                None => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

/// A group's value lies between the broker's bounds for its kind of groups: `group.consumer.min.session.timeout.ms` and
/// `group.consumer.max.session.timeout.ms` bound `consumer.session.timeout.ms`.
fn check_group_value(name: &str, value: &str) -> Result<(), Refused> {
    let Some((family, rest)) = name.split_once('.') else { return Ok(()) };
    let bound = |which: &str| -> Option<i64> {
        let rest = rest.strip_prefix("num.").unwrap_or(rest);
        find(table::BROKER, &format!("group.{family}.{which}.{rest}"))?.default?.parse().ok()
    };
    let (low, high) = (bound("min").unwrap_or(i64::MIN), bound("max").unwrap_or(i64::MAX));
    match value.trim().parse::<i64>() {
        Ok(number) if number < low || number > high => {
            let bounds =
                if low == i64::MIN { format!("at most {high}") } else { format!("in the range {low} to {high}") };
            Err((ErrorCode::InvalidConfig, format!("{name} must be {bounds}")))
        }
        _ => Ok(()),
    }
}

/// Whether it names something that a client tells of itself, and a pattern for it.
fn is_pattern(word: &str) -> bool {
    const TOLD: [&str; 6] = [
        "client_instance_id",
        "client_id",
        "client_software_name",
        "client_software_version",
        "client_source_address",
        "client_source_port",
    ];
    word.split_once('=').is_some_and(|(name, pattern)| TOLD.contains(&name.trim()) && is_closed(pattern.trim()))
}

/// Whether a pattern is there, and closes what it opens. It is matched by nobody here.
fn is_closed(pattern: &str) -> bool {
    let count = |letter| pattern.chars().filter(|one| *one == letter).count();
    !pattern.is_empty() && count('[') == count(']') && count('(') == count(')') && !pattern.ends_with('\\')
}

/// What belongs to a listener: how it is reached, and how it proves who it is.
fn is_of_a_listener(name: &str) -> bool {
    name.starts_with("ssl.") || name.starts_with("sasl.")
}

fn check_resource_name(kind: ResourceType, name: &str) -> Result<(), Refused> {
    let invalid = |message: String| Err((ErrorCode::InvalidRequest, message));
    match kind {
        ResourceType::Topic if name.is_empty() => invalid("Default topic resources are not allowed.".to_owned()),
        ResourceType::Group if name.is_empty() => invalid("Default group resources are not allowed.".to_owned()),
        ResourceType::ClientMetrics if name.is_empty() => {
            invalid("Default client metrics resources are not allowed.".to_owned())
        }
        ResourceType::Broker if !name.is_empty() && name.parse::<i32>().is_err() => {
            invalid(format!("Unable to parse broker name '{name}' as a base 10 number."))
        }
        _ => Ok(()),
    }
}

fn check_existence(image: &Image, kind: ResourceType, name: &str) -> Result<(), Refused> {
    match kind {
        ResourceType::Topic if check_legal(name).is_err() => check_legal(name),
        ResourceType::Topic if image.topic(name).is_none() => {
            Err((ErrorCode::UnknownTopicOrPartition, format!("The topic '{name}' does not exist.")))
        }
        ResourceType::Broker if !name.is_empty() && !name.parse().is_ok_and(|id| image.brokers.contains_key(&id)) => {
            Err((ErrorCode::InvalidRequest, format!("No broker with id {name} found.")))
        }
        _ => Ok(()),
    }
}

/// What a broker does not know it keeps nevertheless, as Kafka does: a plug-in may.
fn definition(kind: ResourceType, name: &str) -> Result<Option<&'static ConfigDef>, Refused> {
    let (table, code, what) = match kind {
        ResourceType::Topic => (table::TOPIC, ErrorCode::InvalidConfig, "Unknown topic config name"),
        ResourceType::Broker => (table::BROKER, ErrorCode::InvalidConfig, "Unknown broker config name"),
        ResourceType::Group => (table::GROUP, ErrorCode::InvalidConfig, "Unknown group config name"),
        ResourceType::ClientMetrics => {
            (table::CLIENT_METRICS, ErrorCode::InvalidRequest, "Unknown client metrics configuration")
        }
    };
    match find(table, name) {
        None if kind == ResourceType::Broker => Ok(None),
        None => Err((code, format!("{what}: {name}"))),
        Some(def) if kind == ResourceType::Broker && is_of_a_listener(def.name) => Err((
            ErrorCode::InvalidRequest,
            format!("{name} is set for one listener at a time, with its prefix, and not at all while there is no TLS"),
        )),
        Some(def) if def.read_only => {
            Err((ErrorCode::InvalidRequest, format!("Cannot update these configs dynamically: {name}")))
        }
        Some(def) => Ok(Some(def)),
    }
}
