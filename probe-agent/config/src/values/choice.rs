//! Settings with a fixed set of values.

use std::{fmt, str::FromStr};

use crate::nearest::nearest;

/// Not one of the values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write one of {known}{}", suggestion.map_or_else(String::new, |s| format!("; did you mean {s:?}?")))]
pub struct ChoiceError {
    known: String,
    suggestion: Option<&'static str>,
}

/// Declares a setting with a fixed set of values, each with its name in the file.
macro_rules! choice {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$doc])* $variant),+ }

        impl $name {
            /// The names, as they are written.
            pub const NAMES: &'static [&'static str] = &[$($text),+];
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant => $text),+ })
            }
        }

        impl FromStr for $name {
            type Err = ChoiceError;

            fn from_str(text: &str) -> Result<Self, ChoiceError> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err(ChoiceError {
                        known: Self::NAMES.join(", "),
                        suggestion: nearest(text, Self::NAMES),
                    }),
                }
            }
        }
    };
}

choice! {
    /// What a healthy target does.
    Expectation {
        /// It answers with a SYN-ACK.
        Open = "open",
        /// It answers with a RST.
        Closed = "closed",
    }
}

impl From<Expectation> for model::expect::Expect {
    fn from(expectation: Expectation) -> Self {
        match expectation {
            Expectation::Open => Self::Open,
            Expectation::Closed => Self::Closed,
        }
    }
}

choice! {
    /// Yes or no.
    Switch {
        /// No.
        Off = "false",
        /// Yes.
        On = "true",
    }
}

choice! {
    /// How OTLP is transported.
    Protocol {
        /// gRPC.
        Grpc = "grpc",
        /// Protobuf over HTTP.
        HttpProtobuf = "http/protobuf",
    }
}

choice! {
    /// How requests are compressed.
    Compression {
        /// Not at all.
        None = "none",
        /// With gzip.
        Gzip = "gzip",
    }
}
