//! Writes Rust. The text is formatted by rustfmt afterwards; a reader of the generated files needs no other formatting.

use std::fmt::Write;

use crate::spec::{Field, Kind, Message, Struct, Versions};

const BANNER: &str = "// Written by `cargo run -p highwater-codegen` from protocol/specs. Do not edit.\n\n";

/// Turns Kafka's camel case into a module's name.
pub fn snake(name: &str) -> String {
    let mut text = String::new();
    for (place, letter) in name.char_indices() {
        if letter.is_uppercase() && place > 0 {
            text.push('_');
        }
        text.extend(letter.to_lowercase());
    }
    text
}

/// `generated/mod.rs`.
pub fn module(messages: &[Message]) -> String {
    let mut text = format!("{BANNER}pub mod api_key;\n");
    for message in messages {
        let file = snake(&message.name);
        writeln!(text, "pub mod {file};").expect("writes to a string");
    }
    for message in messages {
        writeln!(text, "pub use {}::{};", snake(&message.name), message.name).expect("writes to a string");
    }
    text
}

/// `generated/api_key.rs`: the keys, their versions, and where they become flexible.
pub fn api_keys(messages: &[Message]) -> Result<String, String> {
    let mut requests: Vec<&Message> = messages.iter().filter(|message| message.is_request).collect();
    requests.sort_by_key(|message| message.key);
    let name = |message: &Message| message.name.trim_end_matches("Request").to_owned();
    let mut text = format!("{BANNER}/// The requests of the Kafka protocol that this crate knows.\n");
    text += "#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]\n#[repr(i16)]\n";
    text += "#[expect(missing_docs, reason = \"the names are Kafka's\")]\npub enum ApiKey {\n";
    for message in &requests {
        text += &format!("{} = {},\n", name(message), message.key);
    }
    text += "}\n\nimpl ApiKey {\n/// All of them, by number.\npub const ALL: &'static [Self] = &[";
    for message in &requests {
        text += &format!("Self::{},", name(message));
    }
    text += "];\n\n/// The key of a number.\npub fn from_number(number: i16) -> Option<Self> {\nmatch number {\n";
    for message in &requests {
        text += &format!("{} => Some(Self::{}),\n", message.key, name(message));
    }
    text += "_ => None,\n}\n}\n\n/// As Kafka names it.\npub fn name(self) -> &'static str {\nmatch self {\n";
    for message in &requests {
        text += &format!("Self::{} => \"{}\",\n", name(message), name(message));
    }
    text += "}\n}\n\n/// The lowest and the highest version that this crate reads and writes.\n";
    text += "pub fn versions(self) -> (i16, i16) {\nmatch self {\n";
    for message in &requests {
        let response = messages
            .iter()
            .find(|other| !other.is_request && other.key == message.key)
            .ok_or_else(|| format!("{} has no response", message.name))?;
        if response.versions != message.versions || response.flexible != message.flexible {
            return Err(format!("{} and its response differ in versions", message.name));
        }
        text += &format!("Self::{} => ({}, {}),\n", name(message), message.versions.low, message.versions.high);
    }
    text += "}\n}\n\n/// The version from which on it is flexible (KIP-482), if any.\n";
    text += "pub fn flexible_from(self) -> Option<i16> {\nmatch self {\n";
    for message in &requests {
        text += &format!("Self::{} => {:?},\n", name(message), message.flexible);
    }
    text += "}\n}\n}\n";
    Ok(text)
}

/// `generated/mod.rs` of records.
pub fn record_module(records: &[Message]) -> String {
    module(records).replace("pub mod api_key;\n", "")
}

/// The module of a record's key or value.
pub fn record(record: &Message) -> String {
    let name = &record.name;
    let part = if record.is_record_key { "Key" } else { "Value" };
    format!(
        "{}impl {part} for {name} {{\nconst KIND: i16 = {};\n{}\
         fn decode(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {{ Self::read(reader, version) }}\n\
         fn encode(&self, writer: &mut Writer, version: i16) -> Result<(), EncodeError> {{ self.write(writer, version) }}\n\
         #[cfg(any(test, feature = \"testing\"))]\n\
         fn sample(chance: &mut crate::testing::Chance, version: i16) -> Self {{ Self::draw(chance, version) }}\n}}\n",
        structs(record, "crate::coordinator_record::prelude"),
        record.key,
        if record.is_record_key {
            String::new()
        } else {
            format!("const VERSIONS: (i16, i16) = ({}, {});\n", record.versions.low, record.versions.high)
        },
    )
}

/// The types of a module, and what is written for each.
fn structs(message: &Message, prelude: &str) -> String {
    let mut text = format!("{BANNER}use {prelude}::*;\n\n");
    let top = Struct { name: message.name.clone(), fields: message.fields.clone() };
    let context = Context { message };
    for one in all_structs(&top, &message.structs) {
        text += &context.definition(&one);
        text += &context.defaults(&one);
        text += &context.codec(&one);
        text += &context.sample(&one);
    }
    text
}

/// One message's module.
pub fn message(message: &Message) -> String {
    let mut text = structs(message, "crate::message::prelude");
    let name = &message.name;
    text += &format!(
        "impl Message for {name} {{\nconst KEY: ApiKey = ApiKey::{};\n\
         fn decode(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {{\n\
         version_is_known(Self::KEY, version).map_err(DecodeError::from)?;\nSelf::read(reader, version)\n}}\n\
         fn encode(&self, writer: &mut Writer, version: i16) -> Result<(), EncodeError> {{\n\
         version_is_known(Self::KEY, version).map_err(EncodeError::from)?;\nself.write(writer, version)\n}}\n\
         #[cfg(any(test, feature = \"testing\"))]\n\
         fn sample(chance: &mut crate::testing::Chance, version: i16) -> Self {{ Self::draw(chance, version) }}\n}}\n",
        name.trim_end_matches("Request").trim_end_matches("Response")
    );
    if message.is_request {
        let response = name.replace("Request", "Response");
        text += &format!("\nimpl Request for {name} {{\ntype Response = super::{response};\n}}\n");
    }
    text
}

fn all_structs(top: &Struct, commons: &[Struct]) -> Vec<Struct> {
    let mut found: Vec<Struct> = Vec::new();
    let mut waiting = vec![top.clone()];
    waiting.extend(commons.iter().rev().cloned());
    while let Some(next) = waiting.pop() {
        for field in next.fields.iter().rev() {
            if let Kind::Struct(name) = &field.kind
                && !field.fields.is_empty()
            {
                waiting.push(Struct { name: name.clone(), fields: field.fields.clone() });
            }
        }
        if found.iter().all(|other| other.name != next.name) {
            found.push(next);
        }
    }
    found
}

struct Context<'a> {
    message: &'a Message,
}

impl Context<'_> {
    fn definition(&self, one: &Struct) -> String {
        let mut text = format!("/// `{}`, fields as in the spec.\n#[derive(Clone, PartialEq, Debug)]\n", one.name);
        text += "#[expect(missing_docs, reason = \"the names are Kafka's\")]\n";
        if one.fields.is_empty() {
            text = text.replace("#[expect(missing_docs, reason = \"the names are Kafka's\")]\n", "");
        }
        text += &format!("pub struct {} {{\n", one.name);
        for field in &one.fields {
            text += &format!("pub {}: {},\n", ident(&field.name), self.rust_type(field));
        }
        text + "}\n\n"
    }

    fn rust_type(&self, field: &Field) -> String {
        let mut inner = match &field.kind {
            Kind::Bool => "bool".to_owned(),
            Kind::I8 => "i8".to_owned(),
            Kind::I16 => "i16".to_owned(),
            Kind::U16 => "u16".to_owned(),
            Kind::I32 => "i32".to_owned(),
            Kind::U32 => "u32".to_owned(),
            Kind::I64 => "i64".to_owned(),
            Kind::F64 => "f64".to_owned(),
            Kind::Uuid => "Uuid".to_owned(),
            Kind::String => "String".to_owned(),
            Kind::Bytes => "Bytes".to_owned(),
            Kind::Records if self.message.is_request => "BytesMut".to_owned(),
            Kind::Records => "Payload".to_owned(),
            Kind::Struct(name) => name.clone(),
        };
        if field.array {
            inner = format!("Vec<{inner}>");
        }
        if field.nullable.is_some() { format!("Option<{inner}>") } else { inner }
    }

    fn defaults(&self, one: &Struct) -> String {
        let mut text = format!("impl Default for {} {{\nfn default() -> Self {{\nSelf {{\n", one.name);
        for field in &one.fields {
            text += &format!("{}: {},\n", ident(&field.name), self.default(field));
        }
        text + "}\n}\n}\n\n"
    }

    fn default(&self, field: &Field) -> String {
        match field.default.as_deref() {
            Some("null") => "None".to_owned(),
            Some(value) if field.kind == Kind::String => format!("\"{value}\".to_owned()"),
            Some(value) if field.kind == Kind::F64 => format!("{value}f64"),
            Some(value) => value.to_owned(),
            None if field.nullable.is_some() => "Some(Default::default())".to_owned(),
            None => "Default::default()".to_owned(),
        }
    }

    fn is_default(&self, field: &Field) -> String {
        let name = format!("self.{}", ident(&field.name));
        match field.default.as_deref() {
            Some("null") => format!("{name}.is_none()"),
            Some("false") => format!("!{name}"),
            Some("true") => name,
            Some(_) => format!("{name} == {}", self.default(field)),
            None if field.nullable.is_some() => format!("{name} == Some(Default::default())"),
            None if field.kind == Kind::Bool && !field.array => format!("!{name}"),
            None if field.kind == Kind::Uuid && !field.array => format!("{name}.is_nil()"),
            None if field.array || matches!(field.kind, Kind::String | Kind::Bytes) => {
                format!("{name}.is_empty()")
            }
            None => format!("{name} == Default::default()"),
        }
    }

    fn codec(&self, one: &Struct) -> String {
        let all = self.message.versions;
        let plain: Vec<&Field> = one.fields.iter().filter(|field| field.tag.is_none()).collect();
        let tagged: Vec<&Field> = one.fields.iter().filter(|field| field.tag.is_some()).collect();
        let flexible = self.message.flexible;
        let flex = match flexible {
            None => "let flexible = false;\n".to_owned(),
            Some(from) if from <= all.low => "let flexible = true;\n".to_owned(),
            Some(from) => format!("let flexible = version >= {from};\n"),
        };
        let mut text = format!("impl {} {{\n", one.name);
        // Reading.
        text += "pub(crate) fn read(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {\n";
        text += &flex;
        text += "let mut value = Self::default();\n";
        for field in &plain {
            let read = format!("value.{} = {};\n", ident(&field.name), self.read(field, "reader"));
            text += &when(field.versions, all, &read);
        }
        if flexible.is_some() {
            text += "if flexible {\nlet mut tags = reader.tags()?;\nwhile let Some((tag, mut inner)) = tags.next(reader)? {\n";
            if tagged.is_empty() {
                text += "let _ = tag;\ninner.skip_rest();\n";
            } else {
                text += "match tag {\n";
                for field in &tagged {
                    let tag = field.tag.unwrap_or_default();
                    let guard = if self.always_tagged(field) {
                        String::new()
                    } else {
                        format!(" if {}", condition(field.versions, all))
                    };
                    text += &format!(
                        "{tag}{guard} => value.{} = {},\n",
                        ident(&field.name),
                        self.read(field, "&mut inner")
                    );
                }
                text += "_ => inner.skip_rest(),\n}\n";
            }
            text += "tags.done(reader, inner)?;\n}\n}\n";
        }
        text += "let _ = (flexible, version);\nOk(value)\n}\n\n";
        // Writing.
        text += "pub(crate) fn write(&self, writer: &mut Writer, version: i16) -> Result<(), EncodeError> {\n";
        text += &flex;
        for field in &plain {
            let write = self.write(field, &format!("self.{}", ident(&field.name)), "writer");
            if field.versions.covers(all) {
                text += &write;
            } else {
                text += &format!("if {} {{\n{write}}}", condition(field.versions, all));
                if field.ignorable {
                    text += "\n";
                } else {
                    text += &format!(
                        " else if !({}) {{\nreturn Err(EncodeError::missing(\"{}\", version));\n}}\n",
                        self.is_default(field),
                        field.name
                    );
                }
            }
        }
        if flexible.is_some() {
            text += &self.write_tags(&tagged, all);
        }
        text += "let _ = (flexible, version);\nOk(())\n}\n}\n\n";
        text
    }

    fn write_tags(&self, tagged: &[&Field], all: Versions) -> String {
        if tagged.is_empty() {
            return "if flexible {\nwriter.uvarint(0);\n}\n".to_owned();
        }
        let mut sorted = tagged.to_vec();
        sorted.sort_by_key(|field| field.tag);
        let mut text = "if flexible {\nlet mut tags = Tags::default();\n".to_owned();
        for field in &sorted {
            let write = self.write(field, &format!("self.{}", ident(&field.name)), "inner");
            let mut present = format!("!({})", self.is_default(field));
            if !field.versions.covers(all) {
                present = format!("{} && {present}", condition(field.versions, all));
            }
            text += &format!(
                "if {present} {{\ntags.add({}, |inner| {{\n{write}Ok(())\n}})?;\n}}\n",
                field.tag.unwrap_or_default()
            );
        }
        text += "tags.write(writer);\n}";
        for field in sorted.iter().filter(|field| !field.ignorable) {
            let carried = if self.always_tagged(field) {
                "flexible".to_owned()
            } else {
                format!("(flexible && {})", condition(field.versions, all))
            };
            text += &format!(
                "\nif !{carried} && !({}) {{\nreturn Err(EncodeError::missing(\"{}\", version));\n}}",
                self.is_default(field),
                field.name
            );
        }
        text + "\n"
    }

    /// Whether a tagged field is known in all versions that have tags.
    fn always_tagged(&self, field: &Field) -> bool {
        let all = self.message.versions;
        let low = self.message.flexible.map_or(all.low, |from| from.max(all.low));
        field.versions.covers(Versions { low, high: all.high })
    }

    fn read(&self, field: &Field, reader: &str) -> String {
        let flexible = if field.inflexible { "false" } else { "flexible" };
        if field.array {
            let element = self.read_one(&field.kind, "reader", flexible);
            let minimum = self.minimum(&field.kind);
            return match field.nullable {
                None => format!("{reader_}.array({flexible}, {minimum}, |reader| {element})?", reader_ = place(reader)),
                Some(nullable) => {
                    let read = format!(
                        "{reader_}.nullable_array({flexible}, {minimum}, |reader| {element})?",
                        reader_ = place(reader)
                    );
                    self.nullable(read, nullable)
                }
            };
        }
        match (&field.kind, field.nullable) {
            (kind, None) => format!("{}?", self.read_one(kind, reader, flexible)),
            (Kind::Struct(name), Some(nullable)) => {
                let read = format!(
                    "if {}.i8()? < 0 {{ None }} else {{ Some({name}::read({reader}, version)?) }}",
                    place(reader)
                );
                if field.tag.is_none() && !nullable.covers(self.message.versions) {
                    return format!(
                        "if {} {{ {read} }} else {{ Some({name}::read({reader}, version)?) }}",
                        condition(nullable, self.message.versions)
                    );
                }
                read
            }
            (kind, Some(nullable)) => {
                let method = match kind {
                    Kind::String => "nullable_string",
                    Kind::Bytes => "nullable_bytes",
                    Kind::Records if self.message.is_request => "nullable_records",
                    _ => "nullable_payload",
                };
                let read = format!("{}.{method}({flexible})?", place(reader));
                self.nullable(read, nullable)
            }
        }
    }

    /// A null where the version forbids it is an error of the peer.
    fn nullable(&self, read: String, nullable: Versions) -> String {
        if nullable.covers(self.message.versions) {
            read
        } else {
            format!("not_null({read}, {})?", condition(nullable, self.message.versions))
        }
    }

    fn read_one(&self, kind: &Kind, reader: &str, flexible: &str) -> String {
        let reader_ = place(reader);
        match kind {
            Kind::Bool => format!("{reader_}.bool()"),
            Kind::I8 => format!("{reader_}.i8()"),
            Kind::I16 => format!("{reader_}.i16()"),
            Kind::U16 => format!("{reader_}.u16()"),
            Kind::I32 => format!("{reader_}.i32()"),
            Kind::U32 => format!("{reader_}.u32()"),
            Kind::I64 => format!("{reader_}.i64()"),
            Kind::F64 => format!("{reader_}.f64()"),
            Kind::Uuid => format!("{reader_}.uuid()"),
            Kind::String => format!("{reader_}.string({flexible})"),
            Kind::Bytes => format!("{reader_}.bytes({flexible})"),
            Kind::Records => format!("{reader_}.payload({flexible})"),
            Kind::Struct(name) => format!("{name}::read({reader}, version)"),
        }
    }

    fn write(&self, field: &Field, value: &str, writer: &str) -> String {
        let flexible = if field.inflexible { "false" } else { "flexible" };
        let all = self.message.versions;
        if field.array {
            let element = self.write_one(&field.kind, "element", writer, flexible, true);
            let write = |value: &str| {
                format!("{writer}.array_length({value}.len(), {flexible})?;\nfor element in {value} {{\n{element}}}\n")
            };
            let Some(nullable) = field.nullable else {
                return write(value).replacen(&format!("in {value} "), &format!("in &{value} "), 1);
            };
            let null = if nullable.covers(all) {
                format!("{writer}.null_array({flexible});\n")
            } else {
                format!(
                    "if !({}) {{\nreturn Err(EncodeError::null(\"{}\", version));\n}}\n{writer}.null_array({flexible});\n",
                    condition(nullable, all),
                    field.name
                )
            };
            return format!(
                "match &{value} {{\nNone => {{\n{null}}}\nSome(elements) => {{\n{}}}\n}}\n",
                write("elements")
            );
        }
        let Some(nullable) = field.nullable else {
            return self.write_one(&field.kind, value, writer, flexible, false);
        };
        let mut null = match &field.kind {
            Kind::String => format!("{writer}.null_string({flexible});\n"),
            Kind::Struct(_) => format!("{writer}.i8(-1);\n"),
            _ => format!("{writer}.null_bytes({flexible});\n"),
        };
        if !nullable.covers(all) && field.tag.is_none() {
            null = format!(
                "if !({}) {{\nreturn Err(EncodeError::null(\"{}\", version));\n}}\n{null}",
                condition(nullable, all),
                field.name
            );
        }
        let mut some = self.write_one(&field.kind, "inside", writer, flexible, true);
        if matches!(field.kind, Kind::Struct(_)) {
            let mark = format!("{writer}.i8(1);\n");
            some = if nullable.covers(all) || field.tag.is_some() {
                mark + &some
            } else {
                format!("if {} {{\n{mark}}}\n{some}", condition(nullable, all))
            };
        }
        format!("match &{value} {{\nNone => {{\n{null}}}\nSome(inside) => {{\n{some}}}\n}}\n")
    }

    fn write_one(&self, kind: &Kind, value: &str, writer: &str, flexible: &str, by_reference: bool) -> String {
        let star = if by_reference { "*" } else { "" };
        let and = if by_reference { "" } else { "&" };
        match kind {
            Kind::Bool => format!("{writer}.bool({star}{value});\n"),
            Kind::I8 => format!("{writer}.i8({star}{value});\n"),
            Kind::I16 => format!("{writer}.i16({star}{value});\n"),
            Kind::U16 => format!("{writer}.u16({star}{value});\n"),
            Kind::I32 => format!("{writer}.i32({star}{value});\n"),
            Kind::U32 => format!("{writer}.u32({star}{value});\n"),
            Kind::I64 => format!("{writer}.i64({star}{value});\n"),
            Kind::F64 => format!("{writer}.f64({star}{value});\n"),
            Kind::Uuid => format!("{writer}.uuid({star}{value});\n"),
            Kind::String => format!("{writer}.string({and}{value}, {flexible})?;\n"),
            Kind::Bytes => format!("{writer}.bytes({and}{value}, {flexible})?;\n"),
            Kind::Records if self.message.is_request => {
                format!("{writer}.records({and}{value}, {flexible})?;\n")
            }
            Kind::Records => format!("{writer}.payload({and}{value}, {flexible})?;\n"),
            Kind::Struct(_) => format!("{value}.write({writer}, version)?;\n"),
        }
    }

    /// The fewest bytes that an element takes in any version: what an element count is held against.
    fn minimum(&self, kind: &Kind) -> usize {
        match kind {
            Kind::Bool | Kind::I8 | Kind::String | Kind::Bytes | Kind::Records => 1,
            Kind::I16 | Kind::U16 => 2,
            Kind::I32 | Kind::U32 => 4,
            Kind::I64 | Kind::F64 => 8,
            Kind::Uuid => 16,
            Kind::Struct(name) => {
                let top = Struct { name: self.message.name.clone(), fields: self.message.fields.clone() };
                let structs = all_structs(&top, &self.message.structs);
                let always = structs.iter().find(|one| &one.name == name).map_or(0, |one| {
                    one.fields
                        .iter()
                        .filter(|field| field.tag.is_none() && field.versions.covers(self.message.versions))
                        .map(
                            |field| if field.array || field.nullable.is_some() { 1 } else { self.minimum(&field.kind) },
                        )
                        .sum()
                });
                always.max(1)
            }
        }
    }

    /// Draws a value that a version can carry, for round-trip tests.
    fn sample(&self, one: &Struct) -> String {
        let all = self.message.versions;
        let mut text = format!("#[cfg(any(test, feature = \"testing\"))]\nimpl {} {{\n", one.name);
        text += "pub(crate) fn draw(chance: &mut crate::testing::Chance, version: i16) -> Self {\nlet mut value = Self::default();\n";
        for field in &one.fields {
            let mut draw = match &field.kind {
                Kind::Bool => "chance.bool()".to_owned(),
                Kind::I8 => "chance.i8()".to_owned(),
                Kind::I16 => "chance.i16()".to_owned(),
                Kind::U16 => "chance.u16()".to_owned(),
                Kind::I32 => "chance.i32()".to_owned(),
                Kind::U32 => "chance.u32()".to_owned(),
                Kind::I64 => "chance.i64()".to_owned(),
                Kind::F64 => "chance.f64()".to_owned(),
                Kind::Uuid => "chance.uuid()".to_owned(),
                Kind::String => "chance.string()".to_owned(),
                Kind::Bytes => "chance.bytes()".to_owned(),
                Kind::Records if self.message.is_request => "chance.records()".to_owned(),
                Kind::Records => "chance.payload()".to_owned(),
                Kind::Struct(name) => format!("{name}::draw(chance, version)"),
            };
            if field.array {
                draw = format!("chance.array(|chance| {draw})");
            }
            if let Some(nullable) = field.nullable {
                draw = if nullable.covers(all) {
                    format!("chance.option(true, |chance| {draw})")
                } else {
                    format!("chance.option({}, |chance| {draw})", condition(nullable, all))
                };
            }
            text += &when(field.versions, all, &format!("value.{} = {draw};\n", ident(&field.name)));
        }
        text + "let _ = (&chance, version);\nvalue\n}\n}\n\n"
    }
}

fn ident(name: &str) -> String {
    if matches!(name, "type" | "match") { format!("r#{name}") } else { name.to_owned() }
}

/// `&mut inner` as the place of a method call is `inner`.
fn place(reader: &str) -> &str {
    reader.trim_start_matches("&mut ")
}

fn condition(versions: Versions, all: Versions) -> String {
    let from = versions.low > all.low;
    let to = versions.high < all.high;
    match (from, to) {
        (true, true) if versions.low == versions.high => format!("version == {}", versions.low),
        (true, true) => format!("({}..={}).contains(&version)", versions.low, versions.high),
        (true, false) => format!("version >= {}", versions.low),
        (false, true) => format!("version <= {}", versions.high),
        (false, false) => "true".to_owned(),
    }
}

fn when(versions: Versions, all: Versions, text: &str) -> String {
    if versions.covers(all) { text.to_owned() } else { format!("if {} {{\n{text}}}\n", condition(versions, all)) }
}
