//! The language of `-f`: what `consume` prints of a record, and what `produce` reads as one.
//!
//! | verb | is | verb | is |
//! |---|---|---|---|
//! | `%t` `%T` | topic, its length | `%p` | partition |
//! | `%k` `%K` | key, its length | `%o` | offset |
//! | `%v` `%V` | value, its length (kcat's `%s` `%S`) | `%e` | leader epoch |
//! | `%h{…}` `%H` | each header by an inner format, their number | `%d` | timestamp in milliseconds |
//! | `%a{compression}` | how it was compressed | `%i` | count of records, from 1 |
//! | `%a{timestamp-type}` | `create-time` or `append-time` | `%%` `%{` `%}` | these signs |
//!
//! Bytes take `{hex}`, `{base64}` or `{json}`; a length in front of them counts bytes before that. Numbers take `{ascii}`,
//! `{hex64}` to `{hex8}`, `{big64}` to `{big8}` and `{little64}` to `{little8}`; one that does not fit is an error. A time takes
//! `{strftime[…]}`, in UTC. `\n`, `\t`, `\r`, `\0`, `\\` and `\x1f` stand for a byte.
//!
//! A length of -1 is null. With lengths or with `{json}` everything survives `consume -f X | produce -f X`; text that ends at
//! what stands behind it must not hold that, and an empty key of this kind is read as null.

mod parse;
mod read;
mod write;

use std::io::IsTerminal;

pub(crate) use read::Reading;

/// The language, for `--help`.
pub(crate) const HELP: &str = "\
Formats:
  %t %k %v         topic, key, value; %T %K %V are their lengths, -1 for null (%s %S are %v %V)
  %h{…} %H         each header, by a format of %k %v %K %V; their number
  %p %o %e %d      partition, offset, leader epoch, timestamp in milliseconds
  %i %a{…}         count of records; %a{compression}, %a{timestamp-type}; only to write
  %d{strftime[…]}  the timestamp in UTC
  {hex} {base64} {json}             behind %t, %k or %v
  {hex64} {big64} {little64} … {…8} behind a number
  %% %{ %} \\n \\t \\r \\0 \\\\ \\x1f  these signs
What '%K %V %k%v\\n' or '%k{json} %v{json}\\n' prints is read again without loss.";

/// A format that was understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Format {
    pieces: Vec<Piece>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Piece {
    Literal(Vec<u8>),
    Bytes(Part, Coding),
    Number(Number, Width),
    Time(String),
    Headers(Vec<Piece>),
    Attribute(Attribute),
}

/// Bytes of a record, or of a header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Part {
    Topic,
    Key,
    Value,
}

/// How bytes are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Coding {
    Plain,
    Hex,
    Base64,
    /// Null, text, or an object with base64.
    Json,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Number {
    Length(Part),
    Headers,
    Partition,
    Offset,
    LeaderEpoch,
    Timestamp,
    Count,
}

/// How numbers are written; the sizes are in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Width {
    Ascii,
    Hex(usize),
    Big(usize),
    Little(usize),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Attribute {
    Compression,
    TimestampType,
}

/// Tells a person who writes `%T` that it is something else than in kcat.
pub(crate) fn hint(format: &Format) {
    let is_topic_length = |piece: &Piece| matches!(piece, Piece::Number(Number::Length(Part::Topic), _));
    if format.pieces.iter().any(is_topic_length) && std::io::stderr().is_terminal() {
        eprintln!("highwater: %T is the length of the topic; the timestamp, which is kcat's %T, is %d");
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use bytes::Bytes;
    use highwater_client::Header;
    use proptest::prelude::*;

    use super::*;
    use crate::entry::Entry;
    use crate::entry::tests::entries;

    fn entry() -> Entry {
        Entry {
            topic: "orders".into(),
            partition: Some(2),
            offset: Some(41),
            leader_epoch: Some(7),
            timestamp: Some(1_793_491_200_123),
            key: Some(Bytes::from_static(b"k1")),
            value: Some(Bytes::from_static(b"v\xff")),
            headers: vec![
                Header { key: Bytes::from_static(b"a"), value: Some(Bytes::from_static(b"1")) },
                Header { key: Bytes::from_static(b"b"), value: None },
            ],
            ..Entry::default()
        }
    }

    fn written(format: &str, entry: &Entry) -> Vec<u8> {
        let mut out = Vec::new();
        Format::parse(format).expect(format).write(entry, 3, &mut out).expect(format);
        out
    }

    fn check(format: &str, expected: impl AsRef<[u8]>) {
        let (out, expected) = (written(format, &entry()), expected.as_ref());
        assert_eq!(out, expected, "{format} gives {}", String::from_utf8_lossy(&out));
    }

    #[test]
    fn each_verb_writes_its_part() {
        check("%t %T %p %o %e %i", "orders 6 2 41 7 3");
        check("%k %K %V %S\\n", "k1 2 2 2\n");
        check("%v|%s", b"v\xff|v\xff");
        check("%v{hex} %v{base64} %k{json}", "76ff dv8= \"k1\"");
        check("%v{json}", r#"{"base64":"dv8="}"#);
        check("%H %h{%k=%v;}", "2 a=1;b=;");
        check("%h{%k{hex} %V,}", "61 1,62 -1,");
        check("%d %d{strftime[%Y-%m-%dT%H:%M:%S]}", "1793491200123 2026-11-01T00:00:00");
        check("%a{compression} %a{timestamp-type}", "none create-time");
        check("%% %{ %} \\x41\\\\\\0", "% { } A\\\0");
        check("%p{big16}%p{little16}%p{hex16}", b"\x00\x02\x02\x000002");
        check("{\"v\":%v{json}}", r#"{"v":{"base64":"dv8="}}"#);
    }

    #[test]
    fn null_is_not_empty_where_lengths_or_json_are_written() {
        let entry = Entry { value: Some(Bytes::new()), ..Entry::default() };
        assert_eq!(written("%K,%V %k{json}%v{json}", &entry), b"-1,0 null\"\"");
    }

    #[test]
    fn a_number_that_does_not_fit_is_an_error() {
        let entry = Entry { offset: Some(300), ..Entry::default() };
        for width in ["big8", "little8", "hex8"] {
            let format = Format::parse(&format!("%o{{{width}}}")).expect("parses");
            let error = format.write(&entry, 1, &mut Vec::new()).expect_err("300 is too much for a byte");
            assert!(error.contains("300"), "{error}");
        }
    }

    #[test]
    fn what_is_no_format_says_why() {
        for (format, why) in [
            ("%", "at its end"),
            ("%z", "%z"),
            ("%v{hux}", "hux"),
            ("%v{hex", "no } behind"),
            ("%h", "%h{"),
            ("%h{%k", "no } behind"),
            ("%h{%p}", "%p"),
            ("%a", "%a{"),
            ("%d{strftime[%J]}", "%J"),
            ("%d{go[x]}", "go[x]"),
            ("\\q", "\\q"),
            ("\\x4", "\\x"),
        ] {
            let error = Format::parse(format).expect_err(format);
            assert!(error.contains(why), "{format}: {error}");
        }
    }

    #[test]
    fn a_format_that_cannot_be_read_says_why() {
        for (format, why) in [
            ("%k%v\\n", "%k"),
            ("%V%v\\n", "%V"),
            ("%h{%k=%v }\\n", "%H"),
            ("%p", "%p"),
            ("%i %v\\n", "%i"),
            ("%a{compression} %v\\n", "%a"),
            ("", "nothing"),
            ("---\\n", "nothing"),
        ] {
            let error = Format::parse(format).and_then(Format::for_reading).map(|_| ()).expect_err(format);
            assert!(error.contains(why), "{format}: {error}");
        }
    }

    /// Reads all records that a text has.
    fn all(format: &str, text: &[u8]) -> Result<Vec<Entry>, String> {
        let format = Format::parse(format).and_then(Format::for_reading)?;
        let (mut source, mut found) = (Cursor::new(text.to_vec()), Vec::new());
        while let Some(entry) = format.read(&mut source)? {
            found.push(entry);
        }
        Ok(found)
    }

    fn pairs(format: &str, text: &str) -> Vec<(Option<String>, Option<String>)> {
        let text_of = |bytes: Option<Bytes>| bytes.map(|bytes| String::from_utf8(bytes.to_vec()).expect("text"));
        let found = all(format, text.as_bytes()).expect(format);
        found.into_iter().map(|entry| (text_of(entry.key), text_of(entry.value))).collect()
    }

    fn pair(key: Option<&str>, value: Option<&str>) -> (Option<String>, Option<String>) {
        (key.map(str::to_owned), value.map(str::to_owned))
    }

    #[test]
    fn records_are_read_to_what_ends_them() {
        assert_eq!(
            pairs("%k %v\\n", "a 1\nb 2 3\n c\n"),
            [pair(Some("a"), Some("1")), pair(Some("b"), Some("2 3")), pair(None, Some("c")),]
        );
        assert_eq!(
            pairs("%v\\n", "a\n\nlast"),
            [pair(None, Some("a")), pair(None, Some("")), pair(None, Some("last")),]
        );
        assert_eq!(pairs("%k%%-%v--\\n", "a%-x-y--\n"), [pair(Some("a"), Some("x-y"))]);
        assert_eq!(pairs("%v", "all\nof it\n"), [pair(None, Some("all\nof it\n"))]);
        assert_eq!(pairs("%K,%V:%k%v\\n", "1,-1:a\n-1,3:x\ny\n"), [pair(Some("a"), None), pair(None, Some("x\ny"))]);
    }

    #[test]
    fn input_that_does_not_fit_says_where_it_stopped() {
        for (format, text, why) in [
            ("%k:%v\\n", "ab", "ended"),
            ("%p %v\\n", "x 1\n", "partition"),
            ("%V:%v\\n", "9:ab\n", "ended"),
            ("%V:%v\\n", "2:abc\n", "wanted"),
            ("%V:%v\\n", "99999999999:abc\n", "most"),
            ("%v{hex}\\n", "0x\n", "hex"),
            ("%v{base64}\\n", "?\n", "base64"),
            ("%v{json}\\n", "12\n", "null, text"),
            ("%d{strftime[%F]} %v\\n", "today 1\n", "today"),
        ] {
            let error = all(format, text.as_bytes()).expect_err(format);
            assert!(error.contains(why), "{format}: {error}");
        }
    }

    #[test]
    fn times_are_read_as_they_are_written() {
        let found = all("%d{strftime[%Y-%m-%d %H:%M:%S]} %v\\n", b"2026-11-01 00:00:01 x\n").expect("reads");
        assert_eq!(found[0].timestamp, Some(1_793_491_201_000));
        let found = all("%d{strftime[%F]},%v\\n", b"2026-11-01,x\n").expect("reads");
        assert_eq!(found[0].timestamp, Some(1_793_491_200_000));
    }

    /// Formats that lose nothing but what they do not name.
    const LOSSLESS: &[&str] = &[
        "%T %K %V %H %p %o %d %t%k%v%h{%K %V %k%v}",
        "%T{big32}%K{big32}%V{big32}%H{big32}%p{little32}%o{big64}%d{hex64}%t%k%v%h{%K{hex32}%V{little64}%k%v}",
        "%t\\t%p\\t%o\\t%d\\t%k{json}\\t%v{json}\\t%H %h{%k{json}:%v{json},}\\n",
        "%t,%p,%o,%d,%K %k{hex},%V %v{base64},%H:%h{%k{hex}=%V,%v{base64};}\\n",
    ];

    proptest! {
        #[test]
        fn what_is_written_is_read_again(records in proptest::collection::vec(entries(), 0..5), which in 0..LOSSLESS.len()) {
            let format = LOSSLESS[which];
            let mut out = Vec::new();
            for entry in &records {
                out.extend(written(format, entry));
            }
            prop_assert_eq!(all(format, &out), Ok(records), "{}", String::from_utf8_lossy(&out));
        }

        #[test]
        fn nothing_makes_it_panic(format in "[%a-zA-Z{}\\[\\]\\\\0-9 ]{0,12}", entry in entries(), text: Vec<u8>) {
            if let Ok(format) = Format::parse(&format) {
                let _written = format.write(&entry, 1, &mut Vec::new());
                if let Ok(format) = format.for_reading() {
                    let _read = format.read(&mut Cursor::new(text));
                }
            }
        }
    }
}
