//! Flags with a fixed set of values. The values' types belong to crates that do not depend on clap.

use clap::{
    ValueEnum,
    builder::{EnumValueParser, MapValueParser, TypedValueParser as _},
};
use engine::settings::PortPolicy;
use kernel::layout::Form;
use model::expect::Expect;
use report::format::OutputFormat;

/// Makes the value parser of a flag. Names and help come from the enum declared here; the parsed value
/// is of the target type.
macro_rules! choice {
    ($(#[$meta:meta])* $name:ident as $parser:ident => $target:ident { $($(#[$doc:meta])* $variant:ident),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, ValueEnum)]
        pub(crate) enum $name { $($(#[$doc])* $variant),+ }

        impl From<$name> for $target {
            fn from(choice: $name) -> Self {
                match choice { $($name::$variant => Self::$variant),+ }
            }
        }

        pub(crate) fn $parser() -> MapValueParser<EnumValueParser<$name>, fn($name) -> $target> {
            EnumValueParser::<$name>::new().map($target::from as fn($name) -> $target)
        }
    };
}

choice! {
    /// `--expect`
    ExpectChoice as expect => Expect {
        /// It answers with a SYN-ACK
        Open,
        /// It answers with a RST
        Closed,
    }
}

choice! {
    /// `--output`
    OutputChoice as output => OutputFormat {
        /// One row per target, and what was unusual
        Table,
        /// Each unusual probe as a sequence diagram; every probe if there are ten or fewer
        Ladder,
        /// One document: {"probes": [...], "summary": {...}}
        Json,
        /// One object per line and probe; the last line is {"summary": {...}}
        Jsonl,
    }
}

choice! {
    /// `--port-policy`
    PortPolicyChoice as port_policy => PortPolicy {
        /// After the settle window of its last probe. If no port is ready, the one idle for longest is
        /// used and the early reuse is counted
        Rotate,
        /// At once, to reproduce what a stale half-open connection does to the next probe
        Pin,
    }
}

choice! {
    /// `--tracepoints`
    FormChoice as tracepoints => Form {
        /// Raw if the kernel has BTF, else record. With the ACK guard, state changes need no tracepoint:
        /// a program on the agent's cgroup sees only the agent's own sockets
        Auto,
        /// Raw tracepoints: the kernel's structures, read with the offsets in BTF
        Raw,
        /// Like raw, but RSTs are read as on kernels whose verifier does not know which arguments may be null
        Untyped,
        /// Tracepoint records, read with the offsets in tracefs format files
        Record,
    }
}
