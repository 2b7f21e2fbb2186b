//! Constructors for OTLP attributes.

use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, any_value::Value};

fn pair(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), key_strindex: 0 }
}

pub(super) fn text(key: &str, value: impl Into<String>) -> KeyValue {
    pair(key, Value::StringValue(value.into()))
}

pub(super) fn int(key: &str, value: impl Into<i64>) -> KeyValue {
    pair(key, Value::IntValue(value.into()))
}

pub(super) fn double(key: &str, value: f64) -> KeyValue {
    pair(key, Value::DoubleValue(value))
}

pub(super) fn flag(key: &str, value: bool) -> KeyValue {
    pair(key, Value::BoolValue(value))
}

pub(super) fn texts<T: Into<String>>(key: &str, values: impl IntoIterator<Item = T>) -> KeyValue {
    let values = values
        .into_iter()
        .map(|v| AnyValue { value: Some(Value::StringValue(v.into())) })
        .collect();
    pair(key, Value::ArrayValue(ArrayValue { values }))
}
