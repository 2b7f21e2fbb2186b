//! The record of an `end` line.

use std::collections::BTreeMap;

use probe_agent_common::{FlowKey, SlotRecord};

use super::{at, ns, number};
use model::{
    fixtures,
    host_clues::{Ecn, HostClues},
    icmp::IcmpError,
    packet_drop::InterfaceName,
    record::{ProbeId, ProbeRecord, RstHooks, TcpInfo, Translation},
};

/// The record of an `end` line, the events lost before it, and whether it awaits confirmation.
pub(super) fn record(
    words: &[&str],
    counts: &BTreeMap<String, u32>,
) -> Result<(ProbeRecord, u64, bool), String> {
    let [name, outcome, words @ ..] = words else { return Err("too short".to_owned()) };
    let outcome = super::outcome(outcome)?;
    let has = |word: &str| words.contains(&word);
    let after = |word: &str| words.iter().position(|w| *w == word).and_then(|n| words.get(n + 1));
    let time = |word: &str| after(word).map(|t| at(t)).transpose();
    let count = |word: &str| after(word).map_or(Ok(0), |t| number::<u32>(t));
    let syn = time("syn")?.ok_or("no syn")?;
    let (answer, rst) = (time("answer")?.unwrap_or(0), time("rst")?.unwrap_or(0));
    let ended_at = time("end")?.unwrap_or(rst.max(answer).max(syn) + 2_000);
    let id = super::id(name)?;
    let reported = counts.get(*name).copied().unwrap_or(0);
    let info = after("info").map(|n| number(n)).transpose()?;
    let isn = count("isn")?;
    let kernel = SlotRecord {
        syn_sent_at: syn,
        established_at: answer,
        closed_at: if rst == 0 { ended_at - 1_000 } else { rst },
        rst_sent_at: if has("norst") { 0 } else { rst },
        generation: id.generation,
        events: reported + count("unseen")?,
        segments_out: count("segments")?,
        acks_held: u16::try_from(count("held")?).map_err(|e| e.to_string())?,
        retransmits: u16::try_from(count("retransmits")?).map_err(|e| e.to_string())?,
        syn_end: fixtures::SYN_END + isn,
        synack_end: if answer == 0 { 0 } else { fixtures::SYNACK_SEQ + isn + 1 },
        synack_flags: if answer == 0 { 0 } else { 0x12 },
        synack_window: if has("nowindow") { 0 } else { 65_160 },
        round_trip: after("rtt")
            .map_or(Ok(0.0), |t| number::<f64>(t))
            .map(|t| (ns(t) / 1_000) as u32)?,
        ..SlotRecord::default()
    };
    let usual = fixtures::probe_record(outcome, syn);
    let port = after("port").map_or(Ok(usual.flow.local_port), |n| number(n))?;
    let record = ProbeRecord {
        id,
        flow: FlowKey { local_port: port, ..usual.flow },
        errno: after("errno").map_or(Ok(usual.errno), |n| number(n))?,
        started_at: syn - 1_000,
        ended_at,
        answered_at: if answer == 0 { 0 } else { answer + 1_000 },
        kernel: (info.is_none() && !has("norecord")).then_some(kernel),
        tcp_info: info.map(|retransmits| TcpInfo { retransmits }),
        clues: clues(has).map(Box::new),
        translation: after("translated").map(|to| translated(to, id)).transpose()?.map(Box::new),
        icmp: match after("icmp_from") {
            Some(word) => Some(icmp_from(word)?),
            None => has("icmp").then(unreachable).or_else(|| has("icmpv6").then(own_rejection)),
        },
        fresh_socket: has("fresh"),
        rst_hooks: if has("functions") { RstHooks::Functions } else { RstHooks::Tracepoint },
        ..usual
    };
    Ok((record, u64::from(count("lost")?), has("awaits_confirmation")))
}

/// Where this host's address translation sends the probe.
fn translated(to: &str, of: ProbeId) -> Result<Translation, String> {
    Ok(Translation { real: number(to)?, of })
}

/// `ADDRESS/TYPE/CODE`.
fn icmp_from(word: &str) -> Result<IcmpError, String> {
    let [from, kind, code] = word.split('/').collect::<Vec<_>>()[..] else {
        return Err(format!("icmp {word}?"));
    };
    let from = Some(number(from)?);
    Ok(IcmpError { from, is_v6: false, kind: number(kind)?, code: number(code)? })
}

/// What a router answers that knows no way to the target.
fn unreachable() -> IcmpError {
    IcmpError { from: Some([10, 99, 0, 1].into()), is_v6: false, kind: 3, code: 1 }
}

/// What this host's own firewall answers.
fn own_rejection() -> IcmpError {
    IcmpError { from: Some(fixtures::LOCAL.0.into()), is_v6: true, kind: 1, code: 4 }
}

/// What was found on this host.
fn clues(has: impl Fn(&str) -> bool) -> Option<HostClues> {
    let clues = HostClues {
        ecn: if has("ecn") { Ecn::FirstSyn } else { Ecn::No },
        xdp: InterfaceName::from(if has("xdp") { "eth0" } else { "" }).unwrap_or_default(),
        is_bound_to_loopback: has("loopback"),
    };
    (clues != HostClues::default()).then_some(clues)
}
