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
}
