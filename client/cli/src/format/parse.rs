//! From text to a format.

use std::iter::Peekable;
use std::str::Chars;

use super::{Attribute, Coding, Format, Number, Part, Piece, Width};

impl Format {
    /// Understands a format.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut parser = Parser { letters: text.chars().peekable(), text };
        Ok(Self { pieces: parser.pieces(Scope::Record)? })
    }
}

/// What a verb may speak of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    Record,
    Header,
}

struct Parser<'a> {
    letters: Peekable<Chars<'a>>,
    text: &'a str,
}

impl Parser<'_> {
    fn pieces(&mut self, scope: Scope) -> Result<Vec<Piece>, String> {
        let mut pieces: Vec<Piece> = Vec::new();
        loop {
            let piece = match self.letters.next() {
                None if scope == Scope::Header => return Err(self.wrong("no } behind %h{")),
                None => return Ok(pieces),
                Some('}') if scope == Scope::Header => return Ok(pieces),
                Some('%') => self.verb(scope)?,
                Some('\\') => Piece::Literal(vec![self.escaped()?]),
                Some(letter) => Piece::Literal(letter.to_string().into_bytes()),
            };
            match (pieces.last_mut(), piece) {
                (Some(Piece::Literal(before)), Piece::Literal(more)) => before.extend(more),
                (_, piece) => pieces.push(piece),
            }
        }
    }

    fn verb(&mut self, scope: Scope) -> Result<Piece, String> {
        let letter = self.letters.next().ok_or_else(|| self.wrong("a % at its end"))?;
        if matches!(letter, '%' | '{' | '}') {
            return Ok(Piece::Literal(letter.to_string().into_bytes()));
        }
        if letter == 'h' && scope == Scope::Record {
            return match self.letters.next() {
                Some('{') => Ok(Piece::Headers(self.pieces(Scope::Header)?)),
                _ => Err(self.wrong("write %h{…} with what is wanted of each header, as in %h{%k=%v }")),
            };
        }
        let modifier = self.modifier()?;
        let modifier = modifier.as_deref();
        if let Some(part) = bytes_of(letter, scope) {
            return Ok(Piece::Bytes(part, self.coding(modifier)?));
        }
        if let Some(number) = number_of(letter, scope) {
            return match modifier.and_then(|text| text.strip_prefix("strftime[")) {
                Some(text) if number == Number::Timestamp => self.time(text),
                _ => Ok(Piece::Number(number, self.width(modifier)?)),
            };
        }
        match (letter, modifier) {
            ('a', Some("compression")) if scope == Scope::Record => Ok(Piece::Attribute(Attribute::Compression)),
            ('a', Some("timestamp-type")) if scope == Scope::Record => Ok(Piece::Attribute(Attribute::TimestampType)),
            ('a', _) => Err(self.wrong("write %a{compression} or %a{timestamp-type}")),
            _ => Err(self.wrong(&format!("there is no %{letter} here"))),
        }
    }

    /// What stands in braces behind a verb.
    fn modifier(&mut self) -> Result<Option<String>, String> {
        if self.letters.next_if_eq(&'{').is_none() {
            return Ok(None);
        }
        let mut text = String::new();
        for letter in self.letters.by_ref() {
            if letter == '}' && (!text.contains('[') || text.ends_with(']')) {
                return Ok(Some(text));
            }
            text.push(letter);
        }
        Err(self.wrong(&format!("no }} behind {{{text}")))
    }

    fn coding(&self, modifier: Option<&str>) -> Result<Coding, String> {
        match modifier {
            None => Ok(Coding::Plain),
            Some("hex") => Ok(Coding::Hex),
            Some("base64") => Ok(Coding::Base64),
            Some("json") => Ok(Coding::Json),
            Some(other) => Err(self.wrong(&format!("{{{other}}} is none of {{hex}}, {{base64}} and {{json}}"))),
        }
    }

    fn width(&self, modifier: Option<&str>) -> Result<Width, String> {
        let Some(text) = modifier.filter(|text| *text != "ascii") else { return Ok(Width::Ascii) };
        let digits = text.find(|letter: char| letter.is_ascii_digit()).unwrap_or(text.len());
        let (kind, bits) = text.split_at(digits);
        let bytes = match bits {
            "8" => 1,
            "16" => 2,
            "32" => 4,
            "64" => 8,
            _ => 0,
        };
        match (kind, bytes) {
            ("hex", 1..) => Ok(Width::Hex(bytes)),
            ("big", 1..) => Ok(Width::Big(bytes)),
            ("little", 1..) => Ok(Width::Little(bytes)),
            _ => {
                Err(self
                    .wrong(&format!("{{{text}}} is none of {{ascii}} and {{hex}}, {{big}} or {{little}} with 8 to 64")))
            }
        }
    }

    fn time(&self, text: &str) -> Result<Piece, String> {
        let format = text.strip_suffix(']').ok_or_else(|| self.wrong("no ] behind strftime["))?;
        super::write::time(format, 0).map_err(|error| self.wrong(&error))?;
        Ok(Piece::Time(format.to_owned()))
    }

    fn escaped(&mut self) -> Result<u8, String> {
        match self.letters.next() {
            Some('n') => Ok(b'\n'),
            Some('t') => Ok(b'\t'),
            Some('r') => Ok(b'\r'),
            Some('0') => Ok(0),
            Some('\\') => Ok(b'\\'),
            Some('x') => {
                let digits: String = self.letters.by_ref().take(2).collect();
                let is_whole = digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
                let number = is_whole.then(|| u8::from_str_radix(&digits, 16).ok()).flatten();
                number.ok_or_else(|| self.wrong("\\x wants two hexadecimal digits"))
            }
            other => Err(self.wrong(&format!("there is no \\{}", other.map(String::from).unwrap_or_default()))),
        }
    }

    fn wrong(&self, why: &str) -> String {
        format!("format {:?}: {why}", self.text)
    }
}

fn bytes_of(letter: char, scope: Scope) -> Option<Part> {
    match letter {
        't' if scope == Scope::Record => Some(Part::Topic),
        'k' => Some(Part::Key),
        'v' | 's' => Some(Part::Value),
        _ => None,
    }
}

fn number_of(letter: char, scope: Scope) -> Option<Number> {
    match letter {
        'K' => Some(Number::Length(Part::Key)),
        'V' | 'S' => Some(Number::Length(Part::Value)),
        _ if scope == Scope::Header => None,
        'T' => Some(Number::Length(Part::Topic)),
        'H' => Some(Number::Headers),
        'p' => Some(Number::Partition),
        'o' => Some(Number::Offset),
        'e' => Some(Number::LeaderEpoch),
        'd' => Some(Number::Timestamp),
        'i' => Some(Number::Count),
        _ => None,
    }
}
