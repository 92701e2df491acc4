//! What a broker says once it is ready.

use serde::Serialize;

/// Where it is to be found.
#[derive(Clone, Debug, Serialize)]
pub struct Banner {
    /// For Kafka's clients.
    pub kafka: String,
    /// For HTTP.
    pub http: String,
    /// Its number.
    pub node_id: i32,
    /// The cluster.
    pub cluster_id: String,
    /// Its data.
    pub dir: String,
}

impl Banner {
    /// One line of JSON.
    pub fn json(&self) -> String {
        serde_json::to_string(self).expect("texts and numbers become JSON")
    }

    /// Lines for a person.
    pub fn text(&self) -> String {
        format!(
            "highwater is ready: node {} of cluster {}\n  Kafka clients   {}\n  metrics, health http://{}\n  data            {}\n",
            self.node_id, self.cluster_id, self.kafka, self.http, self.dir
        )
    }

    /// Lines to paste, for a node to try things on.
    pub fn lines_to_paste(&self) -> String {
        let kafka = &self.kafka;
        format!(
            "  echo hello | highwater produce -b {kafka} greetings --create\n  highwater consume -b {kafka} greetings -e\n  kcat -b {kafka} -C -t greetings -o beginning -e\n  curl -s http://{}/metrics\n",
            self.http
        )
    }
}
