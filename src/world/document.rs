//! Files as conditions read them: JSON or YAML in which every key stands once, so that what a gate sees is
//! what every other reader sees (R003-39).

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::source::RepoPath;

/// Reads a file as what its name says, JSON or else YAML; gives none if it can't be read as that, or if a
/// map in it says a key twice.
pub fn document(path: &RepoPath, bytes: &[u8]) -> Option<Value> {
    match path.as_bytes().ends_with(b".json") {
        true => json(bytes).ok(),
        false => crate::record::yaml::read(bytes).ok().map(|node| node.to_json()),
    }
}

fn json(bytes: &[u8]) -> serde_json::Result<Value> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Strict.deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

/// Builds a value, and refuses a key that a map has already.
struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value in which every key stands once")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(Strict)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut values = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            let value = map.next_value_seed(Strict)?;
            if values.insert(key, value).is_some() {
                return Err(A::Error::custom("a key stands twice"));
            }
        }
        Ok(Value::Object(values))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Value> {
        document(&"a.json".into(), text.as_bytes())
    }

    #[test]
    fn json_is_read_as_it_is() {
        let text = r#"{"a": [1, -2, 2.5, "x", null, true, {"b": {}}], "c": 18446744073709551615}"#;
        assert_eq!(read(text), serde_json::from_str(text).ok());
        assert_eq!(read("{} {}"), None);
        assert_eq!(read(""), None);
    }

    /// One reader would see the first, another the last.
    #[test]
    fn a_key_that_stands_twice_is_refused() {
        assert_eq!(read(r#"{"trades": 1, "trades": 42}"#), None);
        assert_eq!(read(r#"{"a": [{"nav": 1, "nav": 2}]}"#), None);
        assert_eq!(read(r#"{"a": {"nav": 1}, "b": {"nav": 2}, "nav": 3}"#).map(|_| ()), Some(()));
        assert_eq!(document(&"a.yaml".into(), b"trades: 1\ntrades: 42\n"), None);
    }
}
