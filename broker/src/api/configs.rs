//! Settings are shown and changed: DescribeConfigs (32), AlterConfigs (33), IncrementalAlterConfigs (44), ListConfigResources (74).

use std::collections::BTreeSet;

use highwater_core::config::describe::{Described, Source, broker_values, group_values, topic_values};
use highwater_core::config::{ConfigDef, Settings, table};
use highwater_core::controller::image::{Image, ResourceType};
use highwater_core::controller::topics::check_legal;
use highwater_core::controller::{Reply, Request};
use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::message::alter_configs_response::AlterConfigsResourceResponse;
use highwater_protocol::message::describe_configs_request::DescribeConfigsResource;
use highwater_protocol::message::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsResult, DescribeConfigsSynonym,
};
use highwater_protocol::message::incremental_alter_configs_response::AlterConfigsResourceResponse as IncrementalResponse;
use highwater_protocol::message::list_config_resources_response::ConfigResource;
use highwater_protocol::message::{
    AlterConfigsRequest, AlterConfigsResponse, DescribeConfigsRequest, DescribeConfigsResponse,
    IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse, ListConfigResourcesRequest,
    ListConfigResourcesResponse,
};

use super::{Answer, Asked, controller_refused};
use crate::turn::Turn;

pub(crate) fn describe(asked: &Asked, request: &DescribeConfigsRequest) -> Answer {
    let image = asked.shell.image();
    let unknown = request.resources.iter().find(|one| ResourceType::from_number(one.resource_type).is_none());
    let results = request.resources.iter().map(|resource| {
        // One that has no configuration at all spoils the request for all others, as in Kafka.
        let described = unknown
            .map_or(Ok(()), |one| Err(no_type(one.resource_type)))
            .and_then(|()| entries(asked, &image, resource, request));
        let mut result = DescribeConfigsResult {
            resource_type: resource.resource_type,
            resource_name: resource.resource_name.clone(),
            error_message: Some(String::new()),
            ..DescribeConfigsResult::default()
        };
        match described {
            Ok(configs) => result.configs = configs,
            Err((code, message)) => {
                result.error_code = code.number();
                result.error_message = Some(message);
            }
        }
        result
    });
    asked.now(&DescribeConfigsResponse { results: results.collect(), ..DescribeConfigsResponse::default() })
}

fn entries(
    asked: &Asked,
    image: &Image,
    resource: &DescribeConfigsResource,
    request: &DescribeConfigsRequest,
) -> Result<Vec<DescribeConfigsResourceResult>, (ErrorCode, String)> {
    let name = &resource.resource_name;
    let node_id = asked.shell.node.identity().node_id;
    let fixed = asked.shell.node.static_config();
    let kind = ResourceType::from_number(resource.resource_type).ok_or_else(|| no_type(resource.resource_type))?;
    let broker = match (kind, name.parse::<i32>()) {
        (ResourceType::Broker, Ok(id)) if id != node_id => {
            let message = format!("Unexpected broker id, expected {node_id} or empty string, but received {name}");
            return Err((ErrorCode::InvalidRequest, message));
        }
        (ResourceType::Broker, Err(_)) if !name.is_empty() => {
            return Err((ErrorCode::InvalidRequest, format!("Broker id must be an integer, but it is: {name}")));
        }
        _ => image.broker_settings(node_id, fixed),
    };
    if kind == ResourceType::Topic {
        check_legal(name)?;
    }
    if matches!(kind, ResourceType::Group | ResourceType::ClientMetrics) && name.is_empty() {
        return Err((ErrorCode::InvalidRequest, "a group or subscription is described by its name".to_owned()));
    }
    if kind == ResourceType::Topic && image.topic(name).is_none() {
        return Err((ErrorCode::UnknownTopicOrPartition, format!("The topic '{name}' does not exist.")));
    }
    let own = image.settings(kind, name);
    let defaults_only = kind == ResourceType::Broker && name.is_empty();
    let values = |def: &'static ConfigDef| -> Vec<Described> {
        match kind {
            ResourceType::Topic => topic_values(def, own, &broker),
            ResourceType::Broker if defaults_only => only_set(def, own, Source::DefaultBroker),
            ResourceType::Broker => broker_values(def, &broker),
            ResourceType::Group | ResourceType::ClientMetrics => group_values(def, own, &broker),
        }
    };
    let definitions = match kind {
        ResourceType::Topic => table::TOPIC,
        ResourceType::Broker => table::BROKER,
        ResourceType::Group => table::GROUP,
        ResourceType::ClientMetrics => table::CLIENT_METRICS,
    };
    let is_wanted = |def: &&'static ConfigDef| match &resource.configuration_keys {
        None => true,
        Some(keys) if keys.is_empty() => true,
        Some(keys) => keys.iter().any(|key| key == def.name),
    };
    let described = definitions.iter().filter(is_wanted).filter_map(|def| {
        let values = values(def);
        (!values.is_empty()).then(|| entry(asked.version, def, values, request))
    });
    Ok(described.collect())
}

fn only_set(def: &ConfigDef, own: &Settings, source: Source) -> Vec<Described> {
    let one = |value: &String| Described { name: Some(def.name.to_owned()), value: Some(value.clone()), source };
    own.get(def.name).map(one).into_iter().collect()
}

fn no_type(number: i8) -> (ErrorCode, String) {
    (ErrorCode::InvalidRequest, format!("resource type {number} has no configuration"))
}

fn entry(
    version: i16,
    def: &ConfigDef,
    values: Vec<Described>,
    request: &DescribeConfigsRequest,
) -> DescribeConfigsResourceResult {
    let first = values.first().cloned();
    let source = first.as_ref().map_or(Source::Default, |first| first.source);
    let shown = |value: Option<String>| if def.sensitive { None } else { value };
    let synonym = |described: Described| {
        let (value, source) = (shown(described.value), described.source.number());
        described.name.map(|name| DescribeConfigsSynonym { name, value, source })
    };
    DescribeConfigsResourceResult {
        name: def.name.to_owned(),
        value: shown(first.and_then(|first| first.value)),
        read_only: def.read_only,
        is_default: version == 0 && source == Source::Default,
        config_source: source.number(),
        is_sensitive: def.sensitive,
        synonyms: if request.include_synonyms { values.into_iter().filter_map(synonym).collect() } else { Vec::new() },
        config_type: def.kind.number(),
        documentation: request.include_documentation.then(|| def.doc.to_owned()),
    }
}

pub(crate) fn alter(asked: &Asked, request: AlterConfigsRequest, turn: &mut Turn) -> Answer {
    let shell = &asked.shell;
    let named: Vec<_> =
        request.resources.iter().map(|resource| (resource.resource_type, resource.resource_name.clone())).collect();
    let reply = shell.node.controller().submit(Request::AlterConfigs(request), shell.clock(), turn);
    let asked_again = asked.clone();
    asked.later(async move {
        match reply.await {
            Ok(Reply::AlterConfigs(response)) => {
                asked_again.shell.carry_out_image().await;
                response
            }
            Ok(other) => unreachable!("the controller answered {other:?} to another question"),
            Err(refusal) => {
                let response = |(resource_type, resource_name)| AlterConfigsResourceResponse {
                    error_code: controller_refused(&refusal).number(),
                    error_message: Some(refusal.to_string()),
                    resource_type,
                    resource_name,
                };
                AlterConfigsResponse { responses: named.into_iter().map(response).collect(), ..Default::default() }
            }
        }
    })
}

pub(crate) fn incremental(asked: &Asked, request: IncrementalAlterConfigsRequest, turn: &mut Turn) -> Answer {
    let shell = &asked.shell;
    let named: Vec<_> =
        request.resources.iter().map(|resource| (resource.resource_type, resource.resource_name.clone())).collect();
    let reply = shell.node.controller().submit(Request::IncrementalAlterConfigs(request), shell.clock(), turn);
    let asked_again = asked.clone();
    asked.later(async move {
        match reply.await {
            Ok(Reply::IncrementalAlterConfigs(response)) => {
                asked_again.shell.carry_out_image().await;
                response
            }
            Ok(other) => unreachable!("the controller answered {other:?} to another question"),
            Err(refusal) => {
                let response = |(resource_type, resource_name)| IncrementalResponse {
                    error_code: controller_refused(&refusal).number(),
                    error_message: Some(refusal.to_string()),
                    resource_type,
                    resource_name,
                };
                let responses = named.into_iter().map(response).collect();
                IncrementalAlterConfigsResponse { responses, ..Default::default() }
            }
        }
    })
}

pub(crate) fn list(asked: &Asked, request: &ListConfigResourcesRequest) -> Answer {
    let image = asked.shell.image();
    let client_metrics = ResourceType::ClientMetrics;
    if request.resource_types.iter().any(|kind| ResourceType::from_number(*kind).is_none()) {
        let error_code = ErrorCode::UnsupportedVersion.number();
        return asked.now(&ListConfigResourcesResponse { error_code, ..ListConfigResourcesResponse::default() });
    }
    let kinds: BTreeSet<i8> = request.resource_types.iter().copied().collect();
    let wanted: Vec<ResourceType> = if asked.version == 0 {
        vec![client_metrics]
    } else if request.resource_types.is_empty() {
        vec![ResourceType::Topic, ResourceType::Broker, client_metrics, ResourceType::Group]
    } else {
        kinds.into_iter().filter_map(ResourceType::from_number).collect()
    };
    let mut config_resources = Vec::new();
    for kind in wanted {
        let names: Vec<String> = match kind {
            ResourceType::Topic => image.topics().map(|topic| topic.name.clone()).collect(),
            ResourceType::Broker => image.brokers.keys().map(ToString::to_string).collect(),
            kind => image.configured(kind).map(str::to_owned).collect(),
        };
        let resource = |resource_name| ConfigResource { resource_name, resource_type: kind.number() };
        config_resources.extend(names.into_iter().map(resource));
    }
    asked.now(&ListConfigResourcesResponse { config_resources, ..ListConfigResourcesResponse::default() })
}
