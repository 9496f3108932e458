//! JSON objects, and nothing that merely looks like one to serde.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// A `T` read from a JSON object only. A derived `Deserialize` also takes an array of the members' values,
/// by their places: a foreign array could pass for an answer of the bank.
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData)).map(Self)
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(members))
    }
}

/// Why a body cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// It is not JSON.
    NotJson,
    /// It is JSON of another shape: a member of the wrong type, or one that is there twice.
    Shape,
}

/// Reads a body that is one JSON object. It must be UTF-8 from end to end (RFC 8259 §8.1), also in members that
/// are passed over, which serde_json does not look at.
pub(crate) fn read_object<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Unreadable> {
    read_member(std::str::from_utf8(body).map_err(|_| Unreadable::NotJson)?)
}

/// Reads the text of a member that is an object.
pub(crate) fn read_member<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Unreadable> {
    let read = serde_json::from_str::<Object<T>>(text);
    read.map(|Object(value)| value)
        .map_err(|error| if error.is_data() { Unreadable::Shape } else { Unreadable::NotJson })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Pair {
        a: u8,
        #[serde(default)]
        b: u8,
    }

    #[test]
    fn an_array_is_no_object() {
        let Object(pair) = serde_json::from_str::<Object<Pair>>(r#"{"b": 2, "a": 1}"#).unwrap();
        assert_eq!((pair.a, pair.b), (1, 2));
        for text in ["[1, 2]", "1", "null", "\"a\"", r#"{"a": 1, "a": 2}"#] {
            assert!(serde_json::from_str::<Object<Pair>>(text).is_err_and(|error| error.is_data()), "{text}");
        }
    }

    #[test]
    fn a_body_is_utf8_from_end_to_end() {
        let read = |body: &[u8]| read_object::<Pair>(body).map(|pair| (pair.a, pair.b));
        assert_eq!(read("{\"a\": 1, \"x\": \"é\"}".as_bytes()), Ok((1, 0)));
        assert_eq!(read(b"{\"a\": 1, \"x\": \"\xe9\"}"), Err(Unreadable::NotJson));
        assert_eq!(read(b"{\"a\": 1"), Err(Unreadable::NotJson));
        assert_eq!(read(b"{\"a\": 1} {}"), Err(Unreadable::NotJson));
        assert_eq!(read(b"{\"a\": \"1\"}"), Err(Unreadable::Shape));
        assert_eq!(read(b"[1]"), Err(Unreadable::Shape));
    }
}
