//! What to do about a verdict, if anything. Advice is made from claims alone.

mod local;
mod silent;
mod unreachable;

use self::{local::local, silent::silent, unreachable::unreachable};
use super::view::View;
use crate::drops;
use model::{
    claim::{Act, Party, Reason},
    packet_drop::PacketDrop,
    verdict::Verdict,
};

/// The advice for a verdict on a probe whose outcome is the expected one, or is not. It depends on the claims of
/// the verdict, and on those of all verdicts of the probe where another one has the cause.
pub(super) fn choose(
    verdict: Verdict,
    own: View<'_>,
    all: View<'_>,
    expected: bool,
) -> Option<String> {
    let text = match verdict {
        // An answer is not expected of a closed port.
        Verdict::Clean if !expected => {
            "Something listens on that port, which is expected to be closed (--expect closed)."
        }
        Verdict::Clean => return None,
        Verdict::Refused if expected => return None,
        Verdict::AckLeaked
            if own.has(|act| matches!(act, Act::LeakedAck { is_guarded: true, .. })) =>
        {
            "The ACK guard was in effect but did not stop it. Please report this with your kernel version."
        }
        Verdict::AckLeaked => {
            "Use the ACK guard: drop --no-ack-guard, or give the agent CAP_BPF, CAP_NET_ADMIN and a cgroup v2 that \
             it may use."
        }
        Verdict::RstLostSynackRetransmit
        | Verdict::RstLostPortReuse
        | Verdict::RstLostUnrecovered
            if own.dropped_rst().is_some() =>
        {
            return own.dropped_rst().map(|packet| drops::advice(&packet));
        }
        Verdict::RstLostSynackRetransmit | Verdict::RstLostPortReuse => {
            "Once in a while, this is ordinary packet loss. If one target has it often, look for a firewall \
             or NAT on the path that drops RSTs."
        }
        Verdict::RstLostUnrecovered => {
            "If this happens to most probes, something on the path drops every RST, or answers in the server's \
             place. Until the server gives up (tcp_synack_retries, 63 s by default), each such probe occupies a place in its SYN \
             queue."
        }
        Verdict::LocalDrop => {
            return Some(match dropped_here(own) {
                Some(packet) => drops::advice(&packet),
                None => OWN_FIREWALL.to_owned(),
            });
        }
        Verdict::ChallengeAck | Verdict::StaleSynRecvChallengeAck
            if own.dropped_rst().is_some() =>
        {
            return own.dropped_rst().map(|packet| {
                format!(
                    "The RST that would end that connection is dropped. {}",
                    drops::advice(&packet)
                )
            });
        }
        Verdict::ChallengeAck => {
            "Another program of this host, an earlier run, or a probe that was settled long ago used that port; \
             or a device that authenticates clients answers in the target's place. Keep the agent's ports to \
             itself (--source-port, net.ipv4.ip_local_reserved_ports)."
        }
        Verdict::TargetReset => {
            "Something in front of the service accepts connections and drops them: a load balancer or proxy \
             without a working backend, or a server that closes at once. Check the service behind the port."
        }
        Verdict::SimultaneousOpen => {
            "Another client, perhaps an agent that probes this host, connects from the port that you probe. \
             Probe the port of a server, or choose another --source-port there."
        }
        Verdict::StaleSynRecvChallengeAck
            if own.has(|act| matches!(act, Act::SharedPort { .. })) =>
        {
            "What an earlier probe left delayed this one, not the target. The address translation on the way used \
             a port again while the server still held it: give it more ports or addresses."
        }
        Verdict::StaleSynRecvChallengeAck => {
            "What an earlier probe left delayed this one, not the target. Let ports rest before they are reused \
             (--port-policy rotate)."
        }
        Verdict::StaleSynRecvReset => {
            "The target is up. This affects a checker that opens a fresh socket on the same port within \
             4 ms of a lost RST. Recycled sockets (the default) avoid it."
        }
        Verdict::LateSynack if is_dropped_here(all) => return None,
        Verdict::TimedOut if all.has(|act| matches!(act, Act::AnsweredLate { .. })) => return None,
        Verdict::LateSynack => {
            "The timeout is shorter than the target or the network sometimes needs. Raise --timeout, or \
             look for SYN-ACK loss."
        }
        Verdict::SynRetransmitted
            if own.has(|act| matches!(act, Act::AnsweredEarlierSyn { .. })) =>
        {
            "Nothing was lost that this shows. Let ports rest before they are reused (--port-policy rotate)."
        }
        Verdict::SynRetransmitted | Verdict::TimedOut => {
            return Some(silent(all));
        }
        Verdict::Refused if own.has(|act| matches!(act, Act::AnsweredAsWell { .. })) => {
            "Find out who has the address: two hosts (arping), or a firewall that resets in the target's place."
        }
        Verdict::Refused if is_doubtful(own) => {
            "The next probe decides: a server drops the stale connection that it resets. Recycled sockets (the \
             default) avoid the doubt."
        }
        Verdict::Refused => {
            "Nothing listens on that port, or a firewall rejects with a RST. If the server should be up, \
             check that it listens on that address."
        }
        Verdict::Unreachable => unreachable(own),
        Verdict::LocalError => return local(own),
    };
    Some(text.to_owned())
}

const OWN_FIREWALL: &str =
    "This host's own firewall drops the SYN. Check its output rules (nft list ruleset).";

/// The first packet that the agent's own network namespace dropped.
fn dropped_here(view: View<'_>) -> Option<PacketDrop> {
    view.find(|claim| match (claim.party, claim.act) {
        (Party::ThisHost, Act::Dropped { packet, .. } | Act::DroppedClose { packet }) => {
            Some(packet)
        }
        _ => None,
    })
}

/// Whether this host dropped a packet of the probe, or refused to send a SYN.
fn is_dropped_here(view: View<'_>) -> bool {
    let refused = Act::FailedToSendSyn { error: -libc::EPERM };
    dropped_here(view).is_some() || view.has(|act| *act == refused)
}

/// Whether an earlier probe's connection may have refused this one.
fn is_doubtful(view: View<'_>) -> bool {
    view.find(|claim| claim.doubt())
        .is_some_and(|reason| matches!(reason, Reason::EarlierProbe { .. } | Reason::Undecided))
}
