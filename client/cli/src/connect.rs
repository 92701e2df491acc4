//! How a verb finds the cluster, and the properties that it was given.

use highwater_client::{Client, ConsumerBuilder, ProducerBuilder};

use crate::failed::Failed;

/// Where the cluster is.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Connect {
    /// Brokers to ask first, with commas between them.
    #[arg(short, long, value_name = "HOST:PORT", env = "HIGHWATER_BOOTSTRAP", default_value = "127.0.0.1:9092")]
    pub(crate) bootstrap: String,
    /// A property of the client, by Kafka's name.
    #[arg(short = 'X', value_name = "KEY=VALUE")]
    pub(crate) property: Vec<String>,
}

impl Connect {
    /// A client. Properties that are not its own are left for whoever knows them.
    pub(crate) async fn client(&self) -> Result<Client, Failed> {
        let mut builder = Client::builder(&self.bootstrap).client_id("highwater-cli");
        for (key, value) in self.properties()? {
            if Client::properties().contains(&key) {
                builder = builder.set(key, value).map_err(usage)?;
            } else if !ProducerBuilder::properties().contains(&key) && !ConsumerBuilder::properties().contains(&key) {
                return Err(unknown(key));
            }
        }
        Ok(builder.connect().await?)
    }

    /// The producer's properties.
    pub(crate) fn producer(&self, mut builder: ProducerBuilder) -> Result<ProducerBuilder, Failed> {
        for (key, value) in self.properties()? {
            if ProducerBuilder::properties().contains(&key) {
                builder = builder.set(key, value).map_err(usage)?;
            }
        }
        Ok(builder)
    }

    /// The consumer's properties.
    pub(crate) fn consumer(&self, mut builder: ConsumerBuilder) -> Result<ConsumerBuilder, Failed> {
        for (key, value) in self.properties()? {
            if ConsumerBuilder::properties().contains(&key) {
                builder = builder.set(key, value).map_err(usage)?;
            }
        }
        Ok(builder)
    }

    fn properties<'a>(&'a self) -> Result<Vec<(&'a str, &'a str)>, Failed> {
        let pair = |text: &'a String| {
            let (key, value) =
                text.split_once('=').ok_or_else(|| Failed::Usage(format!("-X {text} is not KEY=VALUE")))?;
            Ok((key.trim(), value.trim()))
        };
        self.property.iter().map(pair).collect()
    }
}

fn unknown(key: &str) -> Failed {
    /// How alike two names must be to be suggested.
    const SUGGEST_FROM: f64 = 0.75;
    let known = Client::properties().iter().chain(ProducerBuilder::properties()).chain(ConsumerBuilder::properties());
    let nearest = known
        .map(|name| (strsim::jaro_winkler(key, name), *name))
        .filter(|(likeness, _)| *likeness >= SUGGEST_FROM)
        .max_by(|one, other| one.0.total_cmp(&other.0));
    let hint = nearest.map(|(_, name)| format!(": did you mean {name}?")).unwrap_or_default();
    Failed::Usage(format!("unknown property {key}{hint}"))
}

fn usage(error: highwater_client::Error) -> Failed {
    Failed::Usage(error.to_string())
}
