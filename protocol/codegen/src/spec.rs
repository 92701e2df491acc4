//! The compact spec format: one message a file, one field a line, nesting by two spaces.
//!
//! ```text
//! message NAME key=N request|response versions=LOW-HIGH flexible=LOW+|none
//! record NAME key=N key|value versions=LOW-HIGH flexible=LOW+|none
//!   field TYPE VERSIONS [nullable=VERSIONS] [tag=N] [ignorable] [default=VALUE] [inflexible]
//!     field of the struct TYPE …
//! struct NAME
//!   field …
//! ```

/// A range of versions; `high` is `i16::MAX` where the spec says `LOW+`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Versions {
    /// The lowest.
    pub low: i16,
    /// The highest.
    pub high: i16,
}

/// A message.
#[derive(Debug)]
pub struct Message {
    /// As Kafka names it.
    pub name: String,
    /// The API key; of a record, which kind it is.
    pub key: i16,
    /// A request, and not a response.
    pub is_request: bool,
    /// The key of a record, and not its value.
    pub is_record_key: bool,
    /// Those we serve.
    pub versions: Versions,
    /// Where compact encodings and tags begin.
    pub flexible: Option<i16>,
    /// The top level.
    pub fields: Vec<Field>,
    /// Structs used in more than one place.
    pub structs: Vec<Struct>,
}

/// A struct.
#[derive(Clone, Debug)]
pub struct Struct {
    /// As Kafka names it.
    pub name: String,
    /// Its fields.
    pub fields: Vec<Field>,
}

/// A field.
#[derive(Clone, Debug)]
pub struct Field {
    /// In snake case.
    pub name: String,
    /// Its type.
    pub kind: Kind,
    /// Whether it is an array of that type.
    pub array: bool,
    /// Where it is present.
    pub versions: Versions,
    /// Where it may be null.
    pub nullable: Option<Versions>,
    /// Its tag, where it is a tagged field.
    pub tag: Option<u32>,
    /// Whether a value is dropped silently where the version lacks the field.
    pub ignorable: bool,
    /// The default, where it is not zero or empty.
    pub default: Option<String>,
    /// Never in the compact form.
    pub inflexible: bool,
    /// The fields of a struct that is defined here.
    pub fields: Vec<Field>,
}

/// The types of the wire.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Kind {
    Bool,
    I8,
    I16,
    U16,
    I32,
    U32,
    I64,
    F64,
    Uuid,
    String,
    Bytes,
    Records,
    Struct(String),
}

impl Versions {
    /// Whether a version is inside.
    pub fn holds(self, version: i16) -> bool {
        self.low <= version && version <= self.high
    }

    /// Whether all of `other` is inside.
    pub fn covers(self, other: Self) -> bool {
        self.low <= other.low && other.high <= self.high
    }

    fn parse(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.parse::<i16>().map_err(|_| format!("'{text}' is not a version"));
        if let Some(low) = text.strip_suffix('+') {
            Ok(Self { low: number(low)?, high: i16::MAX })
        } else if let Some((low, high)) = text.split_once('-') {
            Ok(Self { low: number(low)?, high: number(high)? })
        } else {
            let only = number(text)?;
            Ok(Self { low: only, high: only })
        }
    }
}

/// Reads one spec.
pub fn parse(text: &str) -> Result<Message, String> {
    let lines: Vec<(usize, &str)> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| ((line.len() - line.trim_start().len()) / 2, line.trim()))
        .collect();
    let (first, rest) = lines.split_first().ok_or("an empty spec")?;
    let mut message = header(first.1)?;
    let mut rest = rest;
    message.fields = fields(&mut rest, 1)?;
    while let Some((_, line)) = rest.first() {
        let name = line.strip_prefix("struct ").ok_or_else(|| format!("expected a struct, found '{line}'"))?;
        rest = &rest[1..];
        message.structs.push(Struct { name: name.to_owned(), fields: fields(&mut rest, 1)? });
    }
    Ok(message)
}

fn header(line: &str) -> Result<Message, String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [_, name, key, kind, versions, flexible] = words[..] else {
        return Err(format!("not a message line: '{line}'"));
    };
    let value = |word: &str, name: &str| {
        word.strip_prefix(name).map(str::to_owned).ok_or_else(|| format!("expected {name}…, found '{word}'"))
    };
    let flexible = value(flexible, "flexible=")?;
    Ok(Message {
        name: name.to_owned(),
        key: value(key, "key=")?.parse().map_err(|_| format!("not a key: '{key}'"))?,
        is_request: kind == "request",
        is_record_key: kind == "key",
        versions: Versions::parse(&value(versions, "versions=")?)?,
        flexible: if flexible == "none" { None } else { Some(Versions::parse(&flexible)?.low) },
        fields: Vec::new(),
        structs: Vec::new(),
    })
}

fn fields(lines: &mut &[(usize, &str)], depth: usize) -> Result<Vec<Field>, String> {
    let mut found = Vec::new();
    while let Some((indent, line)) = lines.first() {
        if *indent < depth {
            break;
        }
        *lines = &lines[1..];
        let mut field = field(line)?;
        field.fields = fields(lines, depth + 1)?;
        found.push(field);
    }
    Ok(found)
}

fn field(line: &str) -> Result<Field, String> {
    let mut words = line.split_whitespace();
    let mut word = |what: &str| words.next().ok_or_else(|| format!("'{line}' lacks its {what}"));
    let name = word("name")?.to_owned();
    let kind = word("type")?;
    let versions = Versions::parse(word("versions")?)?;
    let (array, kind) = kind.strip_prefix("[]").map_or((false, kind), |kind| (true, kind));
    let mut field = Field {
        name,
        kind: self::kind(kind),
        array,
        versions,
        nullable: None,
        tag: None,
        ignorable: false,
        default: None,
        inflexible: false,
        fields: Vec::new(),
    };
    for word in words {
        match word.split_once('=') {
            Some(("nullable", value)) => field.nullable = Some(Versions::parse(value)?),
            Some(("tag", value)) => field.tag = Some(value.parse().map_err(|_| format!("not a tag: '{value}'"))?),
            Some(("default", value)) => field.default = Some(value.to_owned()),
            None if word == "ignorable" => field.ignorable = true,
            None if word == "inflexible" => field.inflexible = true,
            _ => return Err(format!("unknown word '{word}' in '{line}'")),
        }
    }
    Ok(field)
}

fn kind(text: &str) -> Kind {
    match text {
        "bool" => Kind::Bool,
        "i8" => Kind::I8,
        "i16" => Kind::I16,
        "u16" => Kind::U16,
        "i32" => Kind::I32,
        "u32" => Kind::U32,
        "i64" => Kind::I64,
        "f64" => Kind::F64,
        "uuid" => Kind::Uuid,
        "string" => Kind::String,
        "bytes" => Kind::Bytes,
        "records" => Kind::Records,
        name => Kind::Struct(name.to_owned()),
    }
}
