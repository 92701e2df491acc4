//! The language of `--offset`: where to begin, and where to end.
//!
//! A range is `BEGIN`, `BEGIN:END` or `:END`. A place is `start` (or `beginning`, `earliest`), `end` (or `latest`), an offset,
//! `+N` from the start or `-N` from the end. With `@` in front a place is a time: `@-1h` ago, `@2026-11-24`,
//! `@2026-11-24T12:00:00Z`, `@1764000000` in seconds or `@1764000000000` in milliseconds; an END that is a bare duration counts
//! from BEGIN, as in `@2026-11-24:1h`. kcat's `s@MS` and `e@MS` are understood as well.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use crate::units;

/// From here on a number is taken for milliseconds, below for seconds: 13 digits.
const MILLISECONDS_FROM: i64 = 1_000_000_000_000;

/// A place in a partition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// The first record.
    Start,
    /// Behind the last record.
    End,
    /// An offset.
    At(i64),
    /// So many records behind the first.
    FromStart(i64),
    /// So many records before the end.
    FromEnd(i64),
    /// The first record not before this, in milliseconds since the epoch.
    Time(i64),
}

/// What is to be read; without an end, on and on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Range {
    pub(crate) begin: Place,
    pub(crate) end: Option<Place>,
}

impl Range {
    /// Reads a range; `now_ms` is what `@-1h` counts from.
    pub(crate) fn parse(text: &str, now_ms: i64) -> Result<Self, String> {
        if let Some(number) = text.strip_prefix("s@") {
            return Ok(Self { begin: Place::Time(instant(number, now_ms)?), end: None });
        }
        if let Some(number) = text.strip_prefix("e@") {
            return Ok(Self { begin: Place::Start, end: Some(Place::Time(instant(number, now_ms)?)) });
        }
        if let Some(times) = text.strip_prefix('@') {
            return time_range(times, now_ms);
        }
        let (begin, end) = match text.split_once(':') {
            None => (text, None),
            Some((begin, end)) => (begin, Some(end)),
        };
        let begin = if begin.is_empty() && end.is_some() { Place::Start } else { place(begin)? };
        let end = end.filter(|end| !end.is_empty()).map(place).transpose()?;
        Ok(Self { begin, end })
    }
}

impl Place {
    /// Reads a place alone.
    pub(crate) fn parse(text: &str, now_ms: i64) -> Result<Self, String> {
        match Range::parse(text, now_ms)? {
            Range { begin, end: None } if !text.starts_with("e@") && !text.ends_with(':') => Ok(begin),
            _ => Err(format!("{text} is a range: write one place, as in 42, end or @-1h")),
        }
    }
}

fn place(text: &str) -> Result<Place, String> {
    let wrong =
        || format!("{text} is no offset: write start, end, a number, +N from the start, -N from the end, or @time");
    let number = |text: &str| {
        let digits_only = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if digits_only { text.parse::<i64>().map_err(|_| wrong()) } else { Err(wrong()) }
    };
    match text {
        "start" | "beginning" | "earliest" | "oldest" => Ok(Place::Start),
        "end" | "latest" | "newest" => Ok(Place::End),
        _ => match (text.strip_prefix('+'), text.strip_prefix('-')) {
            (Some(count), _) => number(count).map(Place::FromStart),
            (_, Some(count)) => number(count).map(Place::FromEnd),
            _ => number(text).map(Place::At),
        },
    }
}

/// Times hold colons themselves, so each colon is tried, from the right: the longest begin that is one wins.
fn time_range(text: &str, now_ms: i64) -> Result<Range, String> {
    if let Ok(begin) = instant(text, now_ms) {
        return Ok(Range { begin: Place::Time(begin), end: None });
    }
    for (at, _) in text.rmatch_indices(':') {
        let (first, last) = (text.get(..at).unwrap_or_default(), text.get(at + 1..).unwrap_or_default());
        let begin = if first.is_empty() { Ok(None) } else { instant(first, now_ms).map(Some) };
        let Ok(begin) = begin else { continue };
        let end = match last {
            "" => None,
            "end" => Some(Place::End),
            _ => match units::duration(last) {
                Ok(length) => Some(Place::Time(begin.unwrap_or(0).saturating_add(milliseconds(length)))),
                Err(_) => Some(Place::Time(instant(last.trim_start_matches('@'), now_ms)?)),
            },
        };
        return Ok(Range { begin: begin.map_or(Place::Start, Place::Time), end });
    }
    Err(wrong_time(text))
}

fn instant(text: &str, now_ms: i64) -> Result<i64, String> {
    if let Some(ago) = text.strip_prefix('-') {
        return units::duration(ago).map(|ago| now_ms.saturating_sub(milliseconds(ago)));
    }
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let number: i64 = text.parse().map_err(|_| wrong_time(text))?;
        return Ok(if number >= MILLISECONDS_FROM { number } else { number.saturating_mul(1000) });
    }
    if let Ok(timestamp) = text.parse::<jiff::Timestamp>() {
        return Ok(timestamp.as_millisecond());
    }
    let date = text.parse::<DateTime>().ok().or_else(|| text.parse::<Date>().ok().map(DateTime::from));
    let zoned = date.and_then(|date| date.to_zoned_datetime(TimeZone::UTC).ok());
    zoned.map(|zoned| zoned.timestamp().as_millisecond()).ok_or_else(|| wrong_time(text))
}

fn wrong_time(text: &str) -> String {
    format!("{text} is no time: write -1h, 2026-11-24, 2026-11-24T12:00:00Z, seconds or milliseconds since 1970")
}

fn milliseconds(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: i64 = 1_800_000_000_000;
    const HOUR: i64 = 3_600_000;
    /// 2026-11-01 at midnight in UTC.
    const NOVEMBER: i64 = 1_793_491_200_000;

    fn check(text: &str, begin: Place, end: Option<Place>) {
        assert_eq!(Range::parse(text, NOW), Ok(Range { begin, end }), "{text}");
    }

    #[test]
    fn places_are_read() {
        check("start", Place::Start, None);
        check("beginning", Place::Start, None);
        check("end", Place::End, None);
        check("42", Place::At(42), None);
        check("-10", Place::FromEnd(10), None);
        check("+5", Place::FromStart(5), None);
        check("10:20", Place::At(10), Some(Place::At(20)));
        check(":end", Place::Start, Some(Place::End));
        check("start:", Place::Start, None);
        check("-10:end", Place::FromEnd(10), Some(Place::End));
    }

    #[test]
    fn times_are_read() {
        check("@-1h", Place::Time(NOW - HOUR), None);
        check("@-1h:end", Place::Time(NOW - HOUR), Some(Place::End));
        check("@-2h:-1h", Place::Time(NOW - 2 * HOUR), Some(Place::Time(NOW - HOUR)));
        check("@2026-11-01", Place::Time(NOVEMBER), None);
        check("@2026-11-01:1h", Place::Time(NOVEMBER), Some(Place::Time(NOVEMBER + HOUR)));
        check("@2026-11-01T00:00:00Z", Place::Time(NOVEMBER), None);
        let later = Some(Place::Time(NOVEMBER + HOUR));
        check("@2026-11-01T00:00:00Z:2026-11-01T01:00:00Z", Place::Time(NOVEMBER), later);
        check("@1793491200", Place::Time(NOVEMBER), None);
        check("@1793491200000:1h", Place::Time(NOVEMBER), later);
        check("s@1793491200000", Place::Time(NOVEMBER), None);
        check("e@1793491200000", Place::Start, Some(Place::Time(NOVEMBER)));
    }

    #[test]
    fn a_place_alone_is_no_range() {
        assert_eq!(Place::parse("-10", NOW), Ok(Place::FromEnd(10)));
        assert_eq!(Place::parse("@-1h", NOW), Ok(Place::Time(NOW - HOUR)));
        for text in ["1:2", "start:", ":end", "e@1793491200000", "@-2h:-1h"] {
            let error = Place::parse(text, NOW).expect_err(text);
            assert!(error.contains("is a range"), "{text}: {error}");
        }
    }

    #[test]
    fn what_is_neither_says_what_may_be_written() {
        for text in ["", "x", "1x", "--1", "+-1", "@", "@x", "@-1", "1:x", "99999999999999999999"] {
            let error = Range::parse(text, NOW).expect_err(text);
            assert!(error.contains("write"), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(text in ".*", now: i64) {
            let _read = Range::parse(&text, now);
        }

        #[test]
        fn offsets_survive(begin in 0..i64::MAX, end in 0..i64::MAX) {
            let range = Range::parse(&format!("{begin}:{end}"), NOW);
            prop_assert_eq!(range, Ok(Range { begin: Place::At(begin), end: Some(Place::At(end)) }));
        }
    }
}
