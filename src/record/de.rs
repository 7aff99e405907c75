//! A tree of values to a typed record, by serde; errors know their place and their nearest word.

use serde::de::{self, DeserializeSeed, IntoDeserializer as _, Visitor};

use super::problem::{Problem, did_you_mean};
use super::yaml::{Node, Pair, Value};
use crate::source::Span;

/// Reads a typed value from a tree; gives the first place that does not fit.
pub(super) fn typed<T: de::DeserializeOwned>(node: &Node) -> Result<T, Problem> {
    T::deserialize(Place { node }).map_err(|error| {
        let span = error.span.unwrap_or(node.span);
        Problem::invalid(span, error.message, error.help)
    })
}

/// An error on its way up; the innermost value that knows its place adds it.
#[derive(Debug)]
struct Misfit {
    span: Option<Span>,
    message: String,
    help: String,
    /// The key that an unknown-field error is about: its place is the key's, not the value's.
    key: Option<String>,
}

impl Misfit {
    fn new(message: String, help: impl Into<String>) -> Self {
        Misfit { span: None, message, help: help.into(), key: None }
    }

    fn at(mut self, node: &Node) -> Self {
        if self.span.is_none() {
            let key = self.key.as_deref().and_then(|key| node.pair(key));
            self.span = Some(key.map_or(node.span, |pair| pair.key_span));
        }
        self
    }
}

impl std::fmt::Display for Misfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Misfit {}

impl de::Error for Misfit {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Misfit::new(message.to_string(), "correct the value")
    }

    fn invalid_type(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        let expected = plainly(&expected.to_string());
        let scalar = matches!(
            found,
            de::Unexpected::Signed(_) | de::Unexpected::Float(_) | de::Unexpected::Bool(_)
        );
        let help = match scalar && expected.ends_with("string") {
            true => "put the value in quotes if it is meant as text",
            false => "correct the value",
        };
        Misfit::new(format!("expected {expected}, found {}", in_words(&found)), help)
    }

    fn invalid_value(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::invalid_type(found, expected)
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let mut misfit = unknown("field", field, expected);
        misfit.key = Some(field.to_owned());
        misfit
    }

    fn unknown_variant(word: &str, expected: &'static [&'static str]) -> Self {
        unknown("value", word, expected)
    }

    fn missing_field(field: &'static str) -> Self {
        Misfit::new(format!("the field `{field}` is missing"), format!("add `{field}:` here"))
    }
}

fn unknown(what: &str, word: &str, expected: &'static [&'static str]) -> Misfit {
    let help = match did_you_mean(word, expected.iter().copied()) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None if expected.is_empty() => "remove it".into(),
        None => {
            let known = expected.join(", ");
            format!("known here: {known}; if a newer orch wrote it, upgrade this one")
        }
    };
    Misfit::new(format!("unknown {what} `{word}`"), help)
}

/// Gives what a value should be in the words of somebody who writes YAML: serde names Rust's types.
fn plainly(expected: &str) -> String {
    match expected {
        "u8" => "a whole number from 0 to 255".into(),
        "u16" => "a whole number from 0 to 65535".into(),
        "u32" | "u64" | "usize" => "a whole number, not below 0".into(),
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number".into(),
        "f32" | "f64" => "a number".into(),
        "a boolean" => "true or false".into(),
        "a sequence" => "a list".into(),
        nonzero if nonzero.starts_with("a nonzero ") => "a whole number other than 0".into(),
        record if record.starts_with("struct ") => "a map".into(),
        other => other.to_owned(),
    }
}

fn in_words(found: &de::Unexpected<'_>) -> String {
    match found {
        de::Unexpected::Unit => "nothing".into(),
        de::Unexpected::Bool(value) => format!("the boolean `{value}`"),
        de::Unexpected::Signed(value) => format!("the number `{value}`"),
        de::Unexpected::Float(value) => format!("the number `{value}`"),
        de::Unexpected::Seq => "a list".into(),
        de::Unexpected::Map => "a map".into(),
        de::Unexpected::Str(text) => format!("the text `{text}`"),
        other => other.to_string(),
    }
}

#[derive(Clone, Copy)]
struct Place<'node> {
    node: &'node Node,
}

impl<'de> de::Deserializer<'de> for Place<'_> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        let result = match &self.node.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Int(value) => visitor.visit_i64(*value),
            Value::Float(value) => visitor.visit_f64(*value),
            Value::Text(value) => visitor.visit_str(value),
            Value::List(items) => visitor.visit_seq(Items { items: items.iter() }),
            Value::Map(pairs) => visitor.visit_map(Pairs { pairs: pairs.iter(), value: None }),
        };
        result.map_err(|error: Misfit| error.at(self.node))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.node.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self).map_err(|error: Misfit| error.at(self.node))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        let result = match &self.node.value {
            Value::Text(word) => visitor.visit_enum(word.as_str().into_deserializer()),
            _ => Err(de::Error::invalid_type(self.unexpected(), &"a word")),
        };
        result.map_err(|error: Misfit| error.at(self.node))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        // Serde would take a list for the fields in their order.
        match self.node.value {
            Value::List(_) => {
                Err(Misfit::at(de::Error::invalid_type(self.unexpected(), &"a map"), self.node))
            }
            _ => self.deserialize_any(visitor),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

impl Place<'_> {
    fn unexpected(&self) -> de::Unexpected<'_> {
        match &self.node.value {
            Value::Null => de::Unexpected::Unit,
            Value::Bool(value) => de::Unexpected::Bool(*value),
            Value::Int(value) => de::Unexpected::Signed(*value),
            Value::Float(value) => de::Unexpected::Float(*value),
            Value::Text(value) => de::Unexpected::Str(value),
            Value::List(_) => de::Unexpected::Seq,
            Value::Map(_) => de::Unexpected::Map,
        }
    }
}

struct Items<'node> {
    items: std::slice::Iter<'node, Node>,
}

impl<'de> de::SeqAccess<'de> for Items<'_> {
    type Error = Misfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Misfit> {
        let Some(node) = self.items.next() else { return Ok(None) };
        seed.deserialize(Place { node }).map(Some).map_err(|error| error.at(node))
    }
}

struct Pairs<'node> {
    pairs: std::slice::Iter<'node, Pair>,
    value: Option<&'node Node>,
}

impl<'de> de::MapAccess<'de> for Pairs<'_> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Misfit> {
        let Some(pair) = self.pairs.next() else { return Ok(None) };
        self.value = Some(&pair.value);
        let key = de::value::StrDeserializer::<Misfit>::new(&pair.key);
        seed.deserialize(key).map(Some).map_err(|mut error| {
            if error.span.is_none() {
                error.span = Some(pair.key_span);
            }
            error
        })
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        let node = self.value.take().expect("serde asks for a value after its key");
        seed.deserialize(Place { node }).map_err(|error| error.at(node))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::yaml::read;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only the errors are looked at")]
    struct Example {
        status: Status,
        #[serde(default)]
        version: Option<String>,
        #[serde(default)]
        numbers: Vec<u32>,
        #[serde(default)]
        inner: Option<Box<Example>>,
        #[serde(default)]
        on: bool,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Status {
        Complete,
        Blocked,
    }

    fn misfit(text: &str) -> (String, String, String) {
        let node = read(text.as_bytes()).expect("YAML");
        let problem = typed::<Example>(&node).expect_err("does not fit");
        let place = text[problem.span.start..problem.span.end].to_owned();
        (place, problem.message, problem.help)
    }

    #[test]
    fn an_unknown_field_is_underlined_with_the_nearest_word() {
        let (place, message, help) = misfit("statsu: complete\n");
        assert_eq!((place.as_str(), message.as_str()), ("statsu", "unknown field `statsu`"));
        assert_eq!(help, "did you mean `status`?");
    }

    #[test]
    fn a_wrong_word_is_underlined() {
        let (place, message, help) = misfit("status: complet\n");
        assert_eq!((place.as_str(), message.as_str()), ("complet", "unknown value `complet`"));
        assert_eq!(help, "did you mean `complete`?");
    }

    #[test]
    fn a_number_where_text_is_meant_says_to_quote_it() {
        let (place, message, help) = misfit("status: blocked\nversion: 1.0\n");
        assert_eq!(place, "1.0");
        assert!(message.contains("expected a string"), "{message}");
        assert!(help.contains("quotes"));
    }

    /// Who writes YAML need not know Rust.
    #[test]
    fn what_is_expected_is_told_in_plain_words() {
        for (text, expected) in [
            ("numbers: [one]", "expected a whole number, not below 0, found the text `one`"),
            ("numbers: [-1]", "expected a whole number, not below 0, found the number `-1`"),
            ("numbers: [1.5]", "expected a whole number, not below 0, found the number `1.5`"),
            ("numbers: 3", "expected a list, found the number `3`"),
            ("inner: [a]", "expected a map, found a list"),
            ("on: maybe", "expected true or false, found the text `maybe`"),
        ] {
            let (_, message, help) = misfit(&format!("status: blocked\n{text}\n"));
            assert_eq!((message.as_str(), help.as_str()), (expected, "correct the value"));
        }
    }

    #[test]
    fn a_missing_field_is_named() {
        let (_, message, _) = misfit("version: a\n");
        assert_eq!(message, "the field `status` is missing");
    }
}
