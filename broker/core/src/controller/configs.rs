//! Settings of topics, brokers, groups and client metrics are changed.

use std::collections::BTreeSet;

use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::message::alter_configs_response::AlterConfigsResourceResponse;
use highwater_protocol::message::incremental_alter_configs_response::AlterConfigsResourceResponse as IncrementalResponse;
use highwater_protocol::message::{
    AlterConfigsRequest, AlterConfigsResponse, IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse,
};

use super::Reply;
use super::change::Change;
use super::image::{Image, ResourceType};
use super::topics::set;
use crate::config::{ConfigDef, ConfigType, Settings, check, find, table};

type Refused = (ErrorCode, String);

/// AlterConfigs: what is not named is set no more.
pub(super) fn replace(image: &Image, request: &AlterConfigsRequest) -> (Vec<Change>, Reply) {
    let mut changes = Vec::new();
    let mut responses = Vec::new();
    for resource in &request.resources {
        let wanted: Vec<(String, Option<String>)> =
            resource.configs.iter().map(|config| (config.name.clone(), config.value.clone())).collect();
        let verdict = target(image, resource.resource_type, &resource.resource_name).and_then(|kind| {
            let now = image.settings(kind, &resource.resource_name);
            let mut settings = Settings::new();
            for (name, value) in &wanted {
                let def = definition(kind, name)?;
                let value = value.clone().ok_or_else(|| null_value(name))?;
                check(def, &value).map_err(|reason| (ErrorCode::InvalidConfig, reason))?;
                settings.insert(name.clone(), value);
            }
            let gone = now.keys().filter(|name| !settings.contains_key(*name)).map(|name| (name.clone(), None));
            let set = settings.iter().map(|(name, value)| (name.clone(), Some(value.clone())));
            Ok((kind, gone.chain(set).collect::<Vec<_>>()))
        });
        let mut response = AlterConfigsResourceResponse {
            resource_type: resource.resource_type,
            resource_name: resource.resource_name.clone(),
            ..AlterConfigsResourceResponse::default()
        };
        match verdict {
            Ok((kind, all)) if !request.validate_only => {
                changes.extend(all.into_iter().map(|(name, value)| set(kind, &resource.resource_name, &name, value)));
            }
            Ok(_) => {}
            Err((code, message)) => {
                response.error_code = code.number();
                response.error_message = Some(message);
            }
        }
        responses.push(response);
    }
    (changes, Reply::AlterConfigs(AlterConfigsResponse { responses, ..AlterConfigsResponse::default() }))
}

/// IncrementalAlterConfigs: only what is named changes.
pub(super) fn change(image: &Image, request: &IncrementalAlterConfigsRequest) -> (Vec<Change>, Reply) {
    let mut changes = Vec::new();
    let mut responses = Vec::new();
    for resource in &request.resources {
        let verdict = target(image, resource.resource_type, &resource.resource_name).and_then(|kind| {
            let now = image.settings(kind, &resource.resource_name);
            let mut named = BTreeSet::new();
            let mut all = Vec::new();
            for config in &resource.configs {
                if !named.insert(config.name.as_str()) {
                    return Err((ErrorCode::InvalidRequest, format!("{} is named more than once", config.name)));
                }
                let value = operated(kind, now, &config.name, config.config_operation, config.value.as_deref())?;
                all.push((config.name.clone(), value));
            }
            Ok((kind, all))
        });
        let mut response = IncrementalResponse {
            resource_type: resource.resource_type,
            resource_name: resource.resource_name.clone(),
            ..IncrementalResponse::default()
        };
        match verdict {
            Ok((kind, all)) if !request.validate_only => {
                changes.extend(all.into_iter().map(|(name, value)| set(kind, &resource.resource_name, &name, value)));
            }
            Ok(_) => {}
            Err((code, message)) => {
                response.error_code = code.number();
                response.error_message = Some(message);
            }
        }
        responses.push(response);
    }
    let response = IncrementalAlterConfigsResponse { responses, ..IncrementalAlterConfigsResponse::default() };
    (changes, Reply::IncrementalAlterConfigs(response))
}

/// The value after SET (0), DELETE (1), APPEND (2) or SUBTRACT (3).
fn operated(
    kind: ResourceType,
    now: &Settings,
    name: &str,
    operation: i8,
    value: Option<&str>,
) -> Result<Option<String>, Refused> {
    let def = definition(kind, name)?;
    if operation == 1 {
        return Ok(None);
    }
    let value = value.ok_or_else(|| null_value(name))?;
    let result = match operation {
        0 => value.to_owned(),
        2 | 3 if def.kind != ConfigType::List => {
            let message = format!(
                "Can't {} to key {name} because its type is not LIST.",
                if operation == 2 { "APPEND" } else { "SUBTRACT" }
            );
            return Err((ErrorCode::InvalidConfig, message));
        }
        2 | 3 => {
            let current = now.get(name).map(String::as_str).or(def.default).unwrap_or_default();
            let mut words: Vec<&str> = current.split(',').map(str::trim).filter(|word| !word.is_empty()).collect();
            for word in value.split(',').map(str::trim).filter(|word| !word.is_empty()) {
                words.retain(|known| *known != word);
                if operation == 2 {
                    words.push(word);
                }
            }
            words.join(",")
        }
        other => return Err((ErrorCode::InvalidRequest, format!("Unknown operation type {other}"))),
    };
    check(def, &result).map_err(|reason| (ErrorCode::InvalidConfig, reason))?;
    Ok(Some(result))
}

fn target(image: &Image, kind: i8, name: &str) -> Result<ResourceType, Refused> {
    let Some(kind) = ResourceType::from_number(kind) else {
        return Err((ErrorCode::InvalidRequest, format!("resource type {kind} has no configuration")));
    };
    match kind {
        ResourceType::Topic if image.topic(name).is_none() => {
            Err((ErrorCode::UnknownTopicOrPartition, format!("The topic '{name}' does not exist.")))
        }
        ResourceType::Broker if !name.is_empty() && name.parse::<i32>().is_err() => {
            Err((ErrorCode::InvalidRequest, format!("Unable to parse broker name '{name}' as a base 10 number.")))
        }
        ResourceType::Broker if !name.is_empty() && !name.parse().is_ok_and(|id| image.brokers.contains_key(&id)) => {
            Err((ErrorCode::BrokerIdNotRegistered, format!("No broker with id {name} found.")))
        }
        ResourceType::Group | ResourceType::ClientMetrics if name.is_empty() => {
            Err((ErrorCode::InvalidRequest, "the resource's name is empty".to_owned()))
        }
        kind => Ok(kind),
    }
}

fn definition(kind: ResourceType, name: &str) -> Result<&'static ConfigDef, Refused> {
    let (table, what) = match kind {
        ResourceType::Topic => (table::TOPIC, "topic"),
        ResourceType::Broker => (table::BROKER, "broker"),
        ResourceType::Group => (table::GROUP, "group"),
        ResourceType::ClientMetrics => (table::CLIENT_METRICS, "client metrics"),
    };
    match find(table, name) {
        None => Err((ErrorCode::InvalidConfig, format!("Unknown {what} config name: {name}"))),
        Some(def) if def.read_only => {
            Err((ErrorCode::InvalidRequest, format!("Cannot update these configs dynamically: {name}")))
        }
        Some(def) => Ok(def),
    }
}

fn null_value(name: &str) -> Refused {
    (ErrorCode::InvalidConfig, format!("Null value not supported for: {name}"))
}
