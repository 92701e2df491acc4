//! A second codec, encoding only: it reads a spec and writes a body with drawn values, one byte after the other. It shares
//! nothing with the generated code but the specs, and it knows no types: what it writes is what a peer may send.

use highwater_codegen::spec::{Field, Kind, Message, Struct};
use highwater_protocol::testing::Chance;

/// What the values are like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Shape {
    /// Anything: nulls, empty arrays, a few elements, any number, text beyond ASCII, long bytes now and then.
    Any,
    /// The value that a field has where nobody sets it, and so no tagged field.
    Defaults,
    /// Top-level arrays of this many elements, as small on the wire as an honest peer makes them: nulls, text of three
    /// letters (the fewest that thousands of distinct names have), inner arrays of one such element.
    Dense(usize),
}

/// Draws bodies of one version of a message.
pub(crate) struct Drawer<'a> {
    message: &'a Message,
    version: i16,
    shape: Shape,
    chance: Chance,
    /// Draws tagged fields that no spec knows, where wanted.
    unknown: Option<Chance>,
    depth: u32,
    /// Which of the values that may not be null becomes null all the same, counted from 0.
    forbidden: Option<usize>,
    /// The values so far that may not be null.
    never_null: usize,
}

impl<'a> Drawer<'a> {
    pub(crate) fn new(message: &'a Message, version: i16, shape: Shape, seed: u64) -> Self {
        let chance = Chance::new(seed);
        Self { message, version, shape, chance, unknown: None, depth: 0, forbidden: None, never_null: 0 }
    }

    /// Puts unknown tagged fields into every section; all other bytes stay.
    pub(crate) fn with_unknown_tags(mut self, seed: u64) -> Self {
        self.unknown = Some(Chance::new(seed));
        self
    }

    /// Writes a null in the place of one value that may not be null.
    pub(crate) fn with_forbidden_null(mut self, place: usize) -> Self {
        self.forbidden = Some(place);
        self
    }

    /// How many strings, bytes and arrays have been drawn that may not be null.
    pub(crate) fn never_null(&self) -> usize {
        self.never_null
    }

    /// A body.
    pub(crate) fn body(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        self.fields(&self.message.fields, &mut out);
        out
    }

    fn is_flexible(&self) -> bool {
        self.message.flexible.is_some_and(|from| self.version >= from)
    }

    fn fields(&mut self, fields: &'a [Field], out: &mut Vec<u8>) {
        let version = self.version;
        for field in fields.iter().filter(|field| field.tag.is_none() && field.versions.holds(version)) {
            self.field(field, out);
        }
        if self.is_flexible() {
            self.tags(fields, out);
        }
    }

    /// A tagged field that has its default is left out.
    fn tags(&mut self, fields: &'a [Field], out: &mut Vec<u8>) {
        let mut known: Vec<_> = fields
            .iter()
            .filter(|field| field.versions.holds(self.version))
            .filter_map(|field| field.tag.map(|tag| (tag, field)))
            .collect();
        known.sort_by_key(|(tag, _)| *tag);
        let mut tags = Vec::new();
        for (tag, field) in known {
            let (mut drawn, mut default) = (Vec::new(), Vec::new());
            self.field(field, &mut drawn);
            Drawer::new(self.message, self.version, Shape::Defaults, 0).field(field, &mut default);
            if drawn != default {
                tags.push((tag, drawn));
            }
        }
        if let Some(chance) = &mut self.unknown {
            let mut tag = 100;
            for _ in 0..chance.below(3) {
                tag += u32::try_from(1 + chance.below(1 << 20)).expect("small");
                tags.push((tag, (0..chance.below(200)).map(|_| chance.bits() as u8).collect()));
            }
        }
        uvarint(tags.len(), out);
        for (tag, bytes) in tags {
            uvarint(tag as usize, out);
            uvarint(bytes.len(), out);
            out.extend(bytes);
        }
    }

    fn field(&mut self, field: &'a Field, out: &mut Vec<u8>) {
        let compact = self.is_flexible() && !field.inflexible;
        let may_be_null = field.nullable.is_some_and(|versions| versions.holds(self.version));
        let has_length = field.array || matches!(field.kind, Kind::String | Kind::Bytes | Kind::Records);
        let is_forbidden = has_length && !may_be_null && self.forbidden == Some(self.never_null);
        self.never_null += usize::from(has_length && !may_be_null);
        let is_null = may_be_null
            && match self.shape {
                Shape::Any => self.chance.below(4) == 0,
                Shape::Defaults => field.default.as_deref() == Some("null"),
                Shape::Dense(_) => true,
            };
        let is_struct = matches!(field.kind, Kind::Struct(_));
        match (is_null || is_forbidden, is_struct && !field.array) {
            (true, true) => out.push(0xff),
            (true, false) if compact => out.push(0),
            (true, false) if field.kind == Kind::String && !field.array => out.extend((-1i16).to_be_bytes()),
            (true, false) => out.extend((-1i32).to_be_bytes()),
            (false, _) if field.array => {
                let count = self.count();
                length(count, compact, true, out);
                self.depth += 1;
                for _ in 0..count {
                    self.one(field, compact, out);
                }
                self.depth -= 1;
            }
            (false, true) => {
                // In the versions where it may be null, a byte says that it is there.
                if may_be_null {
                    out.push(1);
                }
                self.one(field, compact, out);
            }
            (false, false) => self.one(field, compact, out),
        }
    }

    fn count(&mut self) -> usize {
        match (self.shape, self.depth) {
            (Shape::Any, 0..=3) => self.chance.below(4) as usize,
            (Shape::Dense(count), 0) => count,
            (Shape::Dense(_), 1..=3) => 1,
            _ => 0,
        }
    }

    fn one(&mut self, field: &'a Field, compact: bool, out: &mut Vec<u8>) {
        if let Kind::Struct(name) = &field.kind {
            let fields = if field.fields.is_empty() { defined(self.message, name) } else { &field.fields };
            return self.fields(fields, out);
        }
        let number = self.number(field);
        match &field.kind {
            Kind::Bool => out.push(u8::from(number & 1 == 1)),
            Kind::I8 => out.push(number as u8),
            Kind::I16 | Kind::U16 => out.extend((number as u16).to_be_bytes()),
            Kind::I32 | Kind::U32 => out.extend((number as u32).to_be_bytes()),
            Kind::I64 => out.extend(number.to_be_bytes()),
            Kind::F64 => out.extend(self.double(field).to_be_bytes()),
            Kind::Uuid => out.extend([number.to_be_bytes(), number.wrapping_mul(3).to_be_bytes()].concat()),
            Kind::String => {
                let text = self.text(field);
                length(text.len(), compact, false, out);
                out.extend(text.into_bytes());
            }
            Kind::Bytes | Kind::Records => {
                let bytes = self.bytes();
                length(bytes.len(), compact, true, out);
                out.extend(bytes);
            }
            Kind::Struct(_) => unreachable!("written above"),
        }
    }

    fn number(&mut self, field: &Field) -> u64 {
        match (self.shape, field.default.as_deref()) {
            (Shape::Any, _) => self.chance.bits() >> self.chance.below(64),
            (Shape::Defaults, Some("true")) => 1,
            (Shape::Defaults, Some(text)) => text.parse::<i64>().map_or(0, i64::cast_unsigned),
            _ => 0,
        }
    }

    fn double(&mut self, field: &Field) -> f64 {
        match (self.shape, field.default.as_deref()) {
            (Shape::Any, _) => {
                Some(f64::from_bits(self.chance.bits())).filter(|number| !number.is_nan()).unwrap_or(-0.5)
            }
            (Shape::Defaults, Some(text)) => text.parse().expect("a number"),
            _ => 0.0,
        }
    }

    fn text(&mut self, field: &Field) -> String {
        match self.shape {
            Shape::Any => {
                let most = if self.chance.below(16) == 0 { 300 } else { 12 };
                let letters = ['a', 'Z', '0', '.', ' ', '\0', 'é', '海', '🌊'];
                (0..self.chance.below(most)).map(|_| letters[self.chance.below(9) as usize]).collect()
            }
            Shape::Defaults => field.default.clone().unwrap_or_default(),
            Shape::Dense(_) => "abc".to_owned(),
        }
    }

    fn bytes(&mut self) -> Vec<u8> {
        if self.shape != Shape::Any {
            return Vec::new();
        }
        // Both sides of the size from which on bytes are linked instead of copied.
        let most = if self.chance.below(16) == 0 { 3000 } else { 40 };
        (0..self.chance.below(most)).map(|_| self.chance.bits() as u8).collect()
    }
}

/// The fields of a struct that a message names in more than one place.
fn defined<'a>(message: &'a Message, name: &str) -> &'a [Field] {
    fn inside<'a>(fields: &'a [Field], name: &str) -> Option<&'a [Field]> {
        fields.iter().find_map(|field| match &field.kind {
            Kind::Struct(own) if own == name && !field.fields.is_empty() => Some(&field.fields[..]),
            _ => inside(&field.fields, name),
        })
    }
    let common = |one: &'a Struct| if one.name == name { Some(&one.fields[..]) } else { inside(&one.fields, name) };
    let found = inside(&message.fields, name).or_else(|| message.structs.iter().find_map(common));
    found.unwrap_or_else(|| panic!("{} has no struct {name}", message.name))
}

fn length(length: usize, compact: bool, wide: bool, out: &mut Vec<u8>) {
    match (compact, wide) {
        (true, _) => uvarint(length + 1, out),
        (false, true) => out.extend(i32::try_from(length).expect("short").to_be_bytes()),
        (false, false) => out.extend(i16::try_from(length).expect("short").to_be_bytes()),
    }
}

/// An unsigned variable-length integer: seven bits a byte, the lowest first.
pub(crate) fn uvarint(mut value: usize, out: &mut Vec<u8>) {
    while value >= 128 {
        out.push((value % 128) as u8 | 128);
        value /= 128;
    }
    out.push(value as u8);
}
