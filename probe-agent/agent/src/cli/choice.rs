//! Flags with a fixed set of values. The values' types belong to crates that do not depend on clap.

use clap::{
    ValueEnum,
    builder::{EnumValueParser, MapValueParser, TypedValueParser},
};
use engine::settings::PortPolicy;
use kernel::state_hook::StateHookChoice;
use model::expect::Expect;
use report::format::OutputFormat;

use crate::names::Resolve;

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
    /// `--resolve`
    ResolveChoice as resolve => Resolve {
        /// Each address is a target of its own. A family that this host has no address of is left out if
        /// the name has addresses of the other
        All,
        /// The one that a client would try first (RFC 6724)
        First,
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

/// `--tracepoints`
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum TracepointsChoice {
    /// With the ACK guard, a program on the agent's cgroup reports state changes: it sees only the agent's
    /// own sockets. Without it, or where it cannot be used: as raw
    Auto,
    /// The tracepoint inet_sock_set_state reports state changes, which all connections of this host pass
    Raw,
    #[value(hide = true)]
    Untyped,
    #[value(hide = true)]
    Record,
}

type TracepointsParser = fn(TracepointsChoice) -> Result<StateHookChoice, &'static str>;

pub(crate) fn tracepoints() -> impl TypedValueParser<Value = StateHookChoice> {
    let parser: TracepointsParser = |choice| match choice {
        TracepointsChoice::Auto => Ok(StateHookChoice::Auto),
        TracepointsChoice::Raw => Ok(StateHookChoice::Raw),
        TracepointsChoice::Untyped | TracepointsChoice::Record => {
            Err("this form was removed: tracing needs kernel BTF now; use auto or raw")
        }
    };
    EnumValueParser::<TracepointsChoice>::new().try_map(parser)
}
