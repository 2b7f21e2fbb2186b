//! What the JSON Schema says of each value.

use schemars::{Schema, json_schema};
use serde_json::{Value, json};

use super::{
    ByteSize, Compression, Count, Expectation, FilePath, HttpUrl, InterfaceName, LabelValue,
    ListenAddress, Mark, PathPattern, Period, PortList, PortRange, Protocol, Share, SourceAddress,
    Switch, TargetAddress,
};
use crate::decode::Setting;

/// Declares what the schema says of types that are written as a text.
macro_rules! texts {
    ($($type:ty: $schema:tt)+) => {
        $(impl Setting for $type {
            fn schema() -> Schema {
                json_schema!($schema)
            }
        })+
    };
}

texts! {
    Mark: {
        "title": "number",
        "type": ["integer", "string"],
        "minimum": 0,
        "maximum": u32::MAX,
        "pattern": "^(0[xX][0-9a-fA-F]{1,8}|[0-9]{1,10})$",
        "examples": [42, "0x2a"]
    }
    PortRange: {
        "title": "port or range",
        "type": ["integer", "string"],
        "minimum": 1,
        "maximum": u16::MAX,
        "pattern": "^[0-9]{1,5}(-[0-9]{1,5})?$",
        "examples": ["40000-40999"]
    }
    InterfaceName: {"title": "interface", "type": "string", "pattern": "^[!-.0-9;-~]{1,15}$", "examples": ["eth0"]}
    SourceAddress: {"title": "IP address", "type": "string", "examples": ["192.0.2.1", "2001:db8::1"]}
    ListenAddress: {"title": "IP:PORT", "type": "string", "pattern": ":[0-9]{1,5}$", "examples": ["127.0.0.1:9655"]}
    FilePath: {"title": "path", "type": "string", "pattern": "^/"}
    PathPattern: {
        "title": "path",
        "type": "string",
        "pattern": "^/.*[.](json|yml|yaml)$",
        "examples": ["/etc/probe-agent/targets/*.json"]
    }
    HttpUrl: {"title": "URL", "type": "string", "pattern": "^https?://[^/?#@]", "examples": ["http://localhost:4318"]}
    Share: {"title": "percentage", "type": "string", "pattern": "^[0-9.]+%$", "examples": ["1%"]}
    ByteSize: {"title": "size", "type": "string", "pattern": "^[0-9]+ *(KiB|MiB|GiB)$", "examples": ["256MiB"]}
    Expectation: {"type": "string", "enum": Expectation::NAMES}
    Protocol: {"type": "string", "enum": Protocol::NAMES}
    Compression: {"type": "string", "enum": Compression::NAMES}
    LabelValue: {"title": "text", "type": ["string", "number", "boolean"], "minLength": 1, "maxLength": 1024}
    TargetAddress: {
        "title": "HOST:PORT or HOST",
        "type": "string",
        "minLength": 1,
        "examples": ["db.example:5432", "10.0.0.7:80", "[2001:db8::7]:443", "[fe80::1%eth0]:80"]
    }
}

impl Setting for Switch {
    fn schema() -> Schema {
        json_schema!({"type": "boolean"})
    }

    fn json(&self) -> Value {
        json!(*self == Self::On)
    }
}

impl Setting for PortList {
    const IS_LIST: bool = true;

    fn schema() -> Schema {
        let one = PortRange::schema();
        json_schema!({
            "title": "ports",
            "type": ["integer", "string", "array"],
            "minimum": 1,
            "maximum": u16::MAX,
            "pattern": "^[0-9]{1,5}(-[0-9]{1,5})?( *, *[0-9]{1,5}(-[0-9]{1,5})?)*$",
            "items": one,
            "minItems": 1,
            "examples": [443, [80, 443], "80,443,8000-8003"]
        })
    }
}

impl<const SHORTEST: u64> Setting for Period<SHORTEST> {
    fn schema() -> Schema {
        let pattern = r"^[0-9][0-9.]*(ns|us|ms|s|m|h)$";
        if SHORTEST == 0 {
            // 0 needs no unit.
            return json_schema!({
                "title": "duration",
                "type": ["string", "integer"],
                "pattern": format!("^0$|{pattern}"),
                "minimum": 0,
                "maximum": 0
            });
        }
        json_schema!({"title": "duration", "type": "string", "pattern": pattern})
    }
}

impl<const MIN: u32, const MAX: u32> Setting for Count<MIN, MAX> {
    fn schema() -> Schema {
        json_schema!({"type": "integer", "minimum": MIN, "maximum": MAX})
    }

    fn json(&self) -> Value {
        json!(self.get())
    }
}
