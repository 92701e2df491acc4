//! Durations, sizes and rates as they are typed: `30s`, `64k`, `1000/s`.

use std::time::Duration;

/// A duration: a number and `ms`, `s`, `m`, `h` or `d`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let wrong = || format!("{text} is no duration: write a number and ms, s, m, h or d, as in 30s");
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let factor_ms: u64 = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(wrong()),
    };
    number.checked_mul(factor_ms).map(Duration::from_millis).ok_or_else(wrong)
}

/// A number of bytes: a number and nothing, `k`, `m` or `g`, each 1024 times the one before.
pub(crate) fn size(text: &str) -> Result<usize, String> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let wrong = || format!("{text} is no size: write a number and optionally k, m or g, as in 64k");
    let number: usize = number.parse().map_err(|_| wrong())?;
    let shift = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kib" => 10,
        "m" | "mib" => 20,
        "g" | "gib" => 30,
        _ => return Err(wrong()),
    };
    number.checked_mul(1 << shift).ok_or_else(wrong)
}

/// A rate: a number, optionally with `/s` behind it.
pub(crate) fn rate(text: &str) -> Result<f64, String> {
    let number: Result<f64, _> = text.strip_suffix("/s").unwrap_or(text).parse();
    match number {
        Ok(number) if number.is_finite() && number > 0.0 => Ok(number),
        _ => Err(format!("{text} is no rate: write records per second, as in 50000/s")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_sizes_and_rates_are_read() {
        assert_eq!(duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(duration("5ms"), Ok(Duration::from_millis(5)));
        assert_eq!(duration("2h"), Ok(Duration::from_secs(7200)));
        assert!(duration("30").is_err() && duration("s").is_err() && duration("99999999999999999999d").is_err());
        assert_eq!((size("1024"), size("64k"), size("1MiB")), (Ok(1024), Ok(65536), Ok(1_048_576)));
        assert!(size("x").is_err());
        assert_eq!(rate("1000/s"), Ok(1000.0));
        assert!(rate("0").is_err() && rate("-1").is_err() && rate("inf").is_err());
    }
}
