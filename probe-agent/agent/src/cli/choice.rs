//! The closed choices of the command line. The types themselves belong to other crates, which do not
//! depend on clap.

use clap::{
    ValueEnum,
    builder::{EnumValueParser, MapValueParser, TypedValueParser as _},
};
use engine::settings::PortPolicy;
use kernel::layout::Form;
use model::expect::Expect;
use report::format::OutputFormat;

/// Makes the value parser of a choice: its names and help are those of the enum here, its values those
/// of the enum elsewhere.
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
        /// A row per target, and what was unusual
        Table,
        /// Each unusual exchange as a sequence diagram (all of them where there are ten or fewer)
        Ladder,
        /// One document: {"probes": [...], "summary": {...}}
        Json,
        /// One object per probe and line; the last line is {"summary": {...}}
        Jsonl,
    }
}

choice! {
    /// `--port-policy`
    PortPolicyChoice as port_policy => PortPolicy {
        /// Not before the settle window of its last probe has passed; where there are more probes than
        /// ports, the longest-rested one goes first and the early reuse is counted
        Rotate,
        /// At once: for reproducing what a leftover does to the next probe
        Pin,
    }
}

choice! {
    /// `--tracepoints`
    FormChoice as tracepoints => Form {
        /// Raw ones where the kernel has BTF, else records; and for changes of state, with the ACK guard,
        /// none: a program on the agent's cgroup hears of its own sockets alone
        Auto,
        /// Raw tracepoints: the kernel's own structures, read by BTF
        Raw,
        /// The same, with RSTs read as on kernels that do not know which arguments may be missing
        Untyped,
        /// Tracepoint records, read by the format files of tracefs
        Record,
    }
}
