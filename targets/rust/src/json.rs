//! JSON as JOSE needs it: an object is an object, and no member stands in it twice.

use std::fmt;
use std::marker::PhantomData;
use std::str;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// A JSON object that is read as a `T`.
///
/// A derived `Deserialize` already refuses a member that comes twice (RFC 7515 §4, RFC 7519 §4), but it reads a JSON
/// *array* too, its elements as the fields in their order: `["…", "…", 1]` would pass for claims, and for a `cnf`.
/// This accepts an object and nothing else.
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
            type Value = Object<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(members)).map(Object)
            }
        }

        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

/// `None` for what is not UTF-8, not JSON, no object, or lacks what a `T` must have.
pub fn object<T: DeserializeOwned>(octets: &[u8]) -> Option<T> {
    // Before serde sees them: of octets, it checks only those strings that it is to keep.
    let text = str::from_utf8(octets).ok()?;
    serde_json::from_str(text).map(|Object(value)| value).ok()
}

/// For an optional member that has to be right where it is present: serde takes `null` for absent otherwise.
pub fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}
