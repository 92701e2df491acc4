//! Settings of topics and brokers.

use highwater_protocol::message::describe_configs_request::{DescribeConfigsRequest, DescribeConfigsResource};
use highwater_protocol::message::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
};

use super::Admin;
use super::topics::unanswered;
use crate::error::{Result, checked};

/// What has settings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ConfigResource {
    /// A topic.
    Topic(String),
    /// One broker.
    Broker(i32),
    /// All brokers.
    Cluster,
}

impl ConfigResource {
    fn parts(&self) -> (i8, String) {
        match self {
            Self::Topic(name) => (2, name.clone()),
            Self::Broker(id) => (4, id.to_string()),
            Self::Cluster => (4, String::new()),
        }
    }
}

impl std::fmt::Display for ConfigResource {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Topic(name) => write!(formatter, "topic {name}"),
            Self::Broker(id) => write!(formatter, "broker {id}"),
            Self::Cluster => formatter.write_str("the cluster"),
        }
    }
}

/// One setting.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConfigEntry {
    /// Its name.
    pub name: String,
    /// Its value; nothing where it is secret.
    pub value: Option<String>,
    /// Who set it.
    pub source: &'static str,
    /// Whether nobody did.
    pub is_default: bool,
    /// Whether it cannot be changed while the broker runs.
    pub is_read_only: bool,
    /// Whether it is secret.
    pub is_sensitive: bool,
    /// What it does, where the broker tells.
    pub documentation: Option<String>,
}

/// A change of one setting, by its name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ConfigChange {
    /// Gives it a value.
    Set(String, String),
    /// Returns it to its default.
    Unset(String),
    /// Adds to a list.
    Append(String, String),
    /// Takes from a list.
    Subtract(String, String),
}

impl ConfigChange {
    fn alterable(&self) -> AlterableConfig {
        let (config_operation, name, value) = match self {
            Self::Set(name, value) => (0, name, Some(value.clone())),
            Self::Unset(name) => (1, name, None),
            Self::Append(name, value) => (2, name, Some(value.clone())),
            Self::Subtract(name, value) => (3, name, Some(value.clone())),
        };
        AlterableConfig { name: name.clone(), config_operation, value }
    }
}

impl Admin {
    /// All settings, or those named.
    pub async fn describe_configs(
        &self,
        resource: &ConfigResource,
        keys: Option<&[String]>,
        documentation: bool,
    ) -> Result<Vec<ConfigEntry>> {
        let (resource_type, resource_name) = resource.parts();
        let wanted =
            DescribeConfigsResource { resource_type, resource_name, configuration_keys: keys.map(<[String]>::to_vec) };
        let request = DescribeConfigsRequest {
            resources: vec![wanted],
            include_synonyms: false,
            include_documentation: documentation,
        };
        let response = match resource {
            ConfigResource::Broker(id) => self.client.call(*id, &request).await?,
            _ => self.client.call_any(&request).await?,
        };
        let result = response.results.into_iter().next().ok_or_else(unanswered)?;
        checked(result.error_code, || format!("settings of {resource}"), result.error_message.as_deref())?;
        let entry = |entry: highwater_protocol::message::describe_configs_response::DescribeConfigsResourceResult| {
            ConfigEntry {
                name: entry.name,
                value: entry.value,
                source: source(entry.config_source),
                is_default: entry.config_source == 5 || entry.is_default,
                is_read_only: entry.read_only,
                is_sensitive: entry.is_sensitive,
                documentation: entry.documentation,
            }
        };
        Ok(result.configs.into_iter().map(entry).collect())
    }

    /// Changes settings: all of them or none.
    pub async fn alter_configs(
        &self,
        resource: &ConfigResource,
        changes: &[ConfigChange],
        validate_only: bool,
    ) -> Result<()> {
        let (resource_type, resource_name) = resource.parts();
        let configs = changes.iter().map(ConfigChange::alterable).collect();
        let wanted = AlterConfigsResource { resource_type, resource_name, configs };
        let request = IncrementalAlterConfigsRequest { resources: vec![wanted], validate_only };
        let response = match resource {
            ConfigResource::Broker(id) => self.client.call(*id, &request).await?,
            _ => self.client.call_controller(&request).await?,
        };
        let result = response.responses.into_iter().next().ok_or_else(unanswered)?;
        checked(result.error_code, || format!("changing {resource}"), result.error_message.as_deref())
    }
}

fn source(number: i8) -> &'static str {
    match number {
        1 => "topic",
        2 => "broker",
        3 => "cluster",
        4 => "file",
        5 => "default",
        6 => "broker logger",
        _ => "unknown",
    }
}
