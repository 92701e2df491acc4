//! How a verb finds the cluster.

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
