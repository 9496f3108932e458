//! JSON merge patch, RFC 7386.

use serde_json::{Map, Value};

/// Changes `target` as `patch` says; a null member removes.
pub(crate) fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        target.clone_from(patch);
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(members) = target else { return };
    for (name, change) in changes {
        if change.is_null() {
            members.remove(name);
        } else {
            merge(members.entry(name.clone()).or_insert(Value::Null), change);
        }
    }
}

/// Puts `value` at a JSON pointer whose parent exists.
pub(crate) fn set(target: &mut Value, pointer: &str, value: &Value) -> bool {
    if let Some(place) = target.pointer_mut(pointer) {
        place.clone_from(value);
        return true;
    }
    let Some((parent, name)) = pointer.rsplit_once('/') else { return false };
    let name = name.replace("~1", "/").replace("~0", "~");
    match target.pointer_mut(parent) {
        Some(Value::Object(members)) => members.insert(name, value.clone()).is_none(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn merging_replaces_adds_and_removes() {
        let mut target = json!({"a": "b", "c": {"d": "e", "f": "g"}});
        merge(&mut target, &json!({"a": "z", "c": {"f": null}, "n": {"m": 1}}));
        assert_eq!(target, json!({"a": "z", "c": {"d": "e"}, "n": {"m": 1}}));
    }

    #[test]
    fn a_pointer_can_set_null_and_add_a_member() {
        let mut target = json!({"request": {"id": "1"}, "result": true});
        assert!(set(&mut target, "/result", &Value::Null));
        assert!(set(&mut target, "/request/more", &json!(2)));
        assert_eq!(target, json!({"request": {"id": "1", "more": 2}, "result": null}));
    }
}
