//! Counters of the packet filter: what was really sent and received.

use lab::Namespace;
use probe_agent_tests::network;

/// Where a counter is attached.
#[derive(Clone, Copy, Debug)]
pub(crate) enum At {
    /// Before routing: segments with an impossible source are counted too.
    Arrival,
    /// What the host itself sends.
    Departure,
}

/// Counts the first segments of handshakes that match, for as long as the namespace lives.
#[derive(Debug)]
pub(crate) struct Syns<'a> {
    namespace: &'a Namespace,
    table: String,
}

impl<'a> Syns<'a> {
    /// `expression` is nftables' own. `name` distinguishes the counters of a namespace.
    pub(crate) fn count(namespace: &'a Namespace, name: &str, at: At, expression: &str) -> Self {
        let table = format!("syns_{name}");
        let hook = match at {
            At::Arrival => "prerouting",
            At::Departure => "output",
        };
        let rules = format!(
            "add table inet {table}\n\
             add counter inet {table} seen\n\
             add chain inet {table} syns {{ type filter hook {hook} priority -400 ; }}\n\
             add rule inet {table} syns tcp flags & (syn | ack) == syn {expression} counter name seen\n"
        );
        network::nft(namespace, &rules);
        Self { namespace, table }
    }

    /// How many there were.
    pub(crate) fn seen(&self) -> u64 {
        network::counted(self.namespace, &format!("inet {} seen", self.table))
    }
}
