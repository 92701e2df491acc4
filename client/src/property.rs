//! Properties by Kafka's names.

use std::time::Duration;

use crate::error::{Error, Kind, Result};

/// How alike two names must be to be suggested.
const SUGGEST_FROM: f64 = 0.75;

/// A key that is none of those known.
pub(crate) fn unknown(key: &str, known: &[&str]) -> Error {
    let nearest = known
        .iter()
        .map(|name| (strsim::jaro_winkler(key, name), *name))
        .filter(|(likeness, _)| *likeness >= SUGGEST_FROM)
        .max_by(|one, other| one.0.total_cmp(&other.0));
    let hint =
        nearest.map_or_else(|| format!("known are {}", known.join(", ")), |(_, name)| format!("did you mean {name}?"));
    Error::new(Kind::Config, format!("unknown property {key}: {hint}"))
}

/// A value that does not fit its key.
pub(crate) fn wrong(key: &str, value: &str, wanted: &str) -> Error {
    Error::new(Kind::Config, format!("property {key} is {value}, wanted is {wanted}"))
}

pub(crate) fn number<T: std::str::FromStr>(key: &str, value: &str) -> Result<T> {
    value.parse().map_err(|_| wrong(key, value, "a number"))
}

pub(crate) fn milliseconds(key: &str, value: &str) -> Result<Duration> {
    number(key, value).map(Duration::from_millis)
}

pub(crate) fn boolean(key: &str, value: &str) -> Result<bool> {
    value.parse().map_err(|_| wrong(key, value, "true or false"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_key_is_answered_with_the_one_meant() {
        let error = unknown("liger.ms", &["linger.ms", "batch.size"]);
        assert_eq!(error.to_string(), "unknown property liger.ms: did you mean linger.ms?");
        let error = unknown("zzz", &["linger.ms", "batch.size"]);
        assert_eq!(error.to_string(), "unknown property zzz: known are linger.ms, batch.size");
        assert_eq!(number::<u8>("acks", "300").map_err(|error| error.kind()), Err(Kind::Config));
    }
}
