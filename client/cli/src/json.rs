//! A record as a JSON object, the same for `consume` and `produce`. Bytes that are no UTF-8 stand under a name of their own,
//! in base64, so that nothing is lost.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use highwater_client::Header;
use serde::{Deserialize, Serialize};

use crate::entry::Entry;

/// The outer `Option` says whether the name is there, the inner one whether it is null.
type Text = Option<Option<String>>;

#[derive(Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Object {
    #[serde(skip_serializing_if = "Option::is_none")]
    topic: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    partition: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Text,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_base64: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Text,
    #[serde(skip_serializing_if = "Option::is_none")]
    value_base64: Option<String>,
    headers: Vec<HeaderObject>,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct HeaderObject {
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Text,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_base64: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Text,
    #[serde(skip_serializing_if = "Option::is_none")]
    value_base64: Option<String>,
}

/// Appends the object and a line feed; for a person on several lines.
pub(crate) fn write(entry: &Entry, is_pretty: bool, out: &mut Vec<u8>) -> Result<(), String> {
    let object = Object::from(entry);
    let written = if is_pretty {
        serde_json::to_writer_pretty(&mut *out, &object)
    } else {
        serde_json::to_writer(&mut *out, &object)
    };
    out.push(b'\n');
    written.map_err(|error| error.to_string())
}

impl From<&Entry> for Object {
    fn from(entry: &Entry) -> Self {
        let (key, key_base64) = text(entry.key.as_ref());
        let (value, value_base64) = text(entry.value.as_ref());
        Self {
            topic: (!entry.topic.is_empty()).then(|| entry.topic.to_string()),
            partition: entry.partition,
            offset: entry.offset,
            timestamp: entry.timestamp,
            key,
            key_base64,
            value,
            value_base64,
            headers: entry.headers.iter().map(HeaderObject::from).collect(),
        }
    }
}

impl From<&Header> for HeaderObject {
    fn from(header: &Header) -> Self {
        let (key, key_base64) = text(Some(&header.key));
        let (value, value_base64) = text(header.value.as_ref());
        Self { key, key_base64, value, value_base64 }
    }
}

impl Object {
    /// The record that it describes.
    pub(crate) fn entry(self) -> Result<Entry, String> {
        let headers: Result<Vec<Header>, String> = self.headers.into_iter().map(HeaderObject::header).collect();
        Ok(Entry {
            topic: self.topic.unwrap_or_default().into(),
            partition: self.partition,
            offset: self.offset,
            timestamp: self.timestamp,
            key: bytes("key", self.key, self.key_base64)?,
            value: bytes("value", self.value, self.value_base64)?,
            headers: headers?,
            ..Entry::default()
        })
    }
}

impl HeaderObject {
    fn header(self) -> Result<Header, String> {
        let key = bytes("key", self.key, self.key_base64)?.ok_or("a header has no key")?;
        Ok(Header { key, value: bytes("value", self.value, self.value_base64)? })
    }
}

fn text(bytes: Option<&Bytes>) -> (Text, Option<String>) {
    match bytes.map(|bytes| std::str::from_utf8(bytes).map_err(|_| STANDARD.encode(bytes))) {
        None => (Some(None), None),
        Some(Ok(text)) => (Some(Some(text.to_owned())), None),
        Some(Err(base64)) => (None, Some(base64)),
    }
}

fn bytes(name: &str, text: Text, base64: Option<String>) -> Result<Option<Bytes>, String> {
    match (text.flatten(), base64) {
        (Some(_), Some(_)) => Err(format!("{name} and {name}_base64 are both given")),
        (None, Some(base64)) => {
            let decoded = STANDARD.decode(&base64).map_err(|error| format!("{name}_base64 {base64}: {error}"))?;
            Ok(Some(Bytes::from(decoded)))
        }
        (text, None) => Ok(text.map(Bytes::from)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::entry::tests::entries;

    fn read(text: &[u8]) -> Result<Entry, String> {
        serde_json::from_slice::<Object>(text).map_err(|error| error.to_string())?.entry()
    }

    #[test]
    fn an_object_has_kafkas_names_in_their_order() {
        let entry = Entry {
            topic: "t".into(),
            partition: Some(1),
            offset: Some(1 << 60),
            timestamp: Some(5),
            value: Some(Bytes::from_static(b"\xff")),
            headers: vec![Header { key: Bytes::from_static(b"h"), value: None }],
            ..Entry::default()
        };
        let mut out = Vec::new();
        write(&entry, false, &mut out).expect("writes");
        let expected = r#"{"topic":"t","partition":1,"offset":1152921504606846976,"timestamp":5,"key":null,"value_base64":"/w==","headers":[{"key":"h","value":null}]}"#;
        assert_eq!(String::from_utf8(out).expect("text"), format!("{expected}\n"));
    }

    #[test]
    fn an_object_that_means_nothing_is_refused() {
        for (text, why) in [
            (r#"{"vlaue":"x"}"#, "unknown field `vlaue`"),
            (r#"{"value":"x","value_base64":"eA=="}"#, "both given"),
            (r#"{"value_base64":"?"}"#, "value_base64 ?"),
            (r#"{"headers":[{"value":"x"}]}"#, "no key"),
            (r#"{"offset":"x"}"#, "invalid type"),
        ] {
            let error = read(text.as_bytes()).expect_err(text);
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(entry in entries(), is_pretty: bool) {
            let mut out = Vec::new();
            write(&entry, is_pretty, &mut out).expect("writes");
            prop_assert_eq!(read(&out), Ok(entry));
        }
    }
}
