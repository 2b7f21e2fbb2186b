//! The evidence for a verdict: the observations that its claims rest on, in the order of time. Each names its
//! hook or its source.

use crate::events;
use model::{
    claim::{Act, Claim, Gap, Moment, Observation, SocketCount},
    errno::errno_text,
    finding::Evidence,
    human::{Elapsed, counted},
    icmp::IcmpError,
    record::{Closing, ProbeRecord},
};

/// The evidence for the claims of a verdict.
pub(super) fn collect(probe: &ProbeRecord, claims: &[Claim]) -> Vec<Evidence> {
    let mut seen: Vec<&Observation> = Vec::new();
    let mut evidence: Vec<Evidence> = Vec::new();
    for claim in claims {
        for observation in claim.basis.observations() {
            if seen.contains(&observation) {
                continue;
            }
            if let Some(piece) = describe(probe, claim, observation) {
                seen.push(observation);
                evidence.push(piece);
            }
        }
    }
    // What has no moment comes last.
    evidence.sort_by_key(|piece| piece.at.unwrap_or(u64::MAX));
    evidence
}

/// One observation in words; `None` if the table or the ladder shows it anyway.
fn describe(probe: &ProbeRecord, claim: &Claim, observation: &Observation) -> Option<Evidence> {
    let (at, text) = match *observation {
        Observation::Event(event) => (Some(event.at), events::describe(probe, claim, event)),
        Observation::Recorded { moment: Moment::Rst, at } => (Some(at), close(probe, at)),
        Observation::Recorded { .. }
        | Observation::Clock { .. }
        | Observation::NoSynAck { .. }
        | Observation::NoWindow
        | Observation::DoubtfulReuse
        | Observation::Confirmation { .. } => return None,
        Observation::Count { what, value, acks_held } => {
            let at = probe.kernel.map(|k| k.closed_at);
            (
                at.filter(|_| what == SocketCount::SegmentsOut),
                count(probe, claim, what, value, acks_held)?,
            )
        }
        // A negative one is no error of a socket: the name did not resolve.
        Observation::Errno(..=0) => return None,
        Observation::Errno(errno) => (None, format!("socket error: {}", errno_text(errno))),
        Observation::Icmp(icmp) => (Some(probe.closed_at()), icmp_error(icmp)),
        Observation::NoAnswer { since, until } => {
            let for_so_long = Elapsed(until.saturating_sub(since));
            let hook = probe.answer_hook();
            let text = format!(
                "no {hook} in answer to a SYN-ACK of this handshake for {for_so_long} after the last RST"
            );
            (Some(until), text)
        }
        Observation::Earlier(None) => {
            (None, "no earlier probe on the 4-tuple was still being followed".to_owned())
        }
        Observation::Earlier(Some((id, closing, ended_at, other_port))) => {
            let how = match closing {
                Closing::Reset => "sent its RST",
                Closing::Silent => "timed out without a RST",
                Closing::ByKernel => "ended",
            };
            let before = Elapsed(probe.syn_at().saturating_sub(ended_at));
            let place = other_port.map_or_else(
                || "on the same 4-tuple".to_owned(),
                |port| format!("from port {port}, whose SYN the reply acknowledges,"),
            );
            let text = format!("probe {id} {place} {how} {before} before this SYN");
            (Some(ended_at), text)
        }
        Observation::Later { id, at, was_answered, other_port } => {
            let end = if was_answered { "was eventually answered" } else { "was not answered" };
            let place = other_port.map_or_else(String::new, |port| {
                format!(" (after an address translation; it left from port {port})")
            });
            let text = format!(
                "the SYN of probe {id} met the stale connection on the same 4-tuple{place} and {end}"
            );
            (Some(at), text)
        }
        Observation::CopyMet { id, at } => {
            let after = Elapsed(at.saturating_sub(probe.rst_at().unwrap_or(probe.ended_at)));
            let text = format!(
                "a further SYN-ACK of this handshake met probe {id} on the same 4-tuple, {after} after our RST"
            );
            (Some(at), text)
        }
        Observation::CleanReuse => {
            (None, "a later SYN on the same 4-tuple found no stale connection".to_owned())
        }
        Observation::Redirect { asked, real } => {
            let hook = probe.state_hook.name();
            let why = if asked.ip().is_unspecified() {
                "the kernel takes the unspecified address for loopback"
            } else {
                "a program on the cgroup replaced the address"
            };
            (None, format!("{hook}: the SYN went to {real}, not to {asked}: {why}"))
        }
        Observation::Conntrack { real, of } => {
            (None, format!("conntrack: this host sent the SYN of probe {of} to {real}"))
        }
        Observation::EcnSetting(_) => {
            (None, "net.ipv4.tcp_ecn of this host makes its SYNs ask for ECN".to_owned())
        }
        Observation::XdpAttached(interface) => {
            (None, format!("IFLA_XDP: an XDP program is attached to {interface}"))
        }
        Observation::BoundToLoopback => {
            (None, "SO_BINDTODEVICE: the socket is bound to the loopback interface".to_owned())
        }
        Observation::Gap(gap) => (None, missed(gap)),
    };
    Some(Evidence { at, text })
}

fn close(probe: &ProbeRecord, at: u64) -> String {
    let established = probe.kernel.map_or(0, |k| k.established_at);
    format!(
        "{} for the close, {} after SYN_SENT -> ESTABLISHED",
        probe.close_hook(),
        Elapsed(at.saturating_sub(established))
    )
}

fn count(
    probe: &ProbeRecord,
    claim: &Claim,
    what: SocketCount,
    value: u32,
    acks_held: u16,
) -> Option<String> {
    match what {
        SocketCount::SegmentsOut => {
            let syns = probe.kernel.map_or(1, |k| u32::from(k.retransmits) + 1);
            Some(format!(
                "tcp_sock.segs_out was {value} at the close: {} and {}, of which the ACK guard held back \
                 {acks_held}",
                counted(syns.into(), "SYN"),
                counted(value.saturating_sub(syns).into(), "ACK"),
            ))
        }
        SocketCount::Retransmits if claim.act == Act::KeptSyn => Some(
            "total_retrans was 0 at the close, although the SYN's timer had expired: the kernel does not send a \
             SYN again that has not left this host"
                .to_owned(),
        ),
        SocketCount::Retransmits => Some(format!("total_retrans was {value} at the close")),
        // The line on what was not traced has it.
        SocketCount::TcpInfoRetransmits => None,
    }
}

fn icmp_error(icmp: IcmpError) -> String {
    let from = icmp.from.map_or_else(|| "an unknown host".to_owned(), |ip| ip.to_string());
    format!(
        "IP_RECVERR: {} type {}, code {} ({}) from {from}",
        icmp.protocol(),
        icmp.kind,
        icmp.code,
        icmp.meaning()
    )
}

/// What the hooks could not see.
fn missed(gap: Gap) -> String {
    match gap {
        Gap::SocketlessRsts => "RSTs that no socket sends are not reported on this host",
        Gap::HooksMissing => {
            "not all kernel hooks are attached: no event shows what the probe's socket sent"
        }
        Gap::EventsLost => "kernel events were lost while this probe was open or followed",
        Gap::NoTracing { retransmits: Some(n) } => {
            return format!("no kernel tracing; TCP_INFO counts {n} SYN retransmits");
        }
        Gap::NoTracing { retransmits: None } => "no kernel record of this probe",
    }
    .to_owned()
}
