//! The language of `cases/*.txt`: one call of [`Correlator`], or one expectation, a line. Times are
//! milliseconds since the first SYN. `#` starts a comment.
//!
//! | line | meaning |
//! | --- | --- |
//! | `window MS` | the settle window; 1500 by default |
//! | `hooks full\|sockets_only\|none` | the coverage; full by default |
//! | `start` | a probe is about to start on the 4-tuple |
//! | `end ID OUTCOME syn MS [answer MS] [rst MS] [end MS] [WORD..]` | a probe has ended |
//! | `rst MS [ANSWERED]` | `tcp_send_reset` without a socket; it answers the probe's SYN-ACK |
//! | `rst MS of ID [ANSWERED]` | `tcp_send_reset` in `SYN_SENT`, `TCP_INVALID_ACK_SEQUENCE`; it answers a challenge ACK |
//! | `drop MS out\|in FLAGS here\|there REASON` | `kfree_skb` of a SYN, SYN-ACK or RST of the flow |
//! | `state MS of ID FROM TO` | a change of state that no clean probe has |
//! | `retransmit MS of ID [err N]` | `tcp_retransmit_skb` of the SYN |
//! | `refusal MS of ID` | `tcp_receive_reset` |
//! | `synack MS` | `tcp_retransmit_synack` |
//! | `confirm ID OUTCOME` | the confirmation probe, 9.1, of a refusal has ended |
//! | `settle MS [lost N]`, `flush MS` | all events up to then have been reported |
//! | `expect ID VERDICT/PROOF[>LINK] ..` | the verdicts that the probe must get |
//! | `says ID WORDS`, `silent ID WORDS` | what its sentences and evidence must contain, or must not |
//! | `left N` | how many probes must still be pending at the end |
//!
//! Words for ANSWERED: `synack` and `ack` (of the probe's numbers), `foreign` (an ACK with other numbers),
//! `othersynack` (a SYN-ACK with another sequence number), `data`, `unread`.
//!
//! Words of `end`: `rtt MS` (the measured round trip), `nowindow` (the SYN-ACK's), `errno N`, `lost N` (events lost by its start), `unseen N` (events that the
//! kernel counted and that never come), `info N` (no kernel record, so many retransmits in
//! `TCP_INFO`), `norecord` (neither), `norst` (the kernel saw no RST leave),
//! `functions` (the functions that send RSTs report them, not the tracepoint), `segments N`, `held N`, `retransmits N` (the socket's counts), `fresh`, `awaits_confirmation`.

use std::collections::BTreeMap;

use probe_agent_common::{FlowKey, SlotRecord};

use crate::{
    Judged,
    correlator::{Correlator, EndedProbe, Observed},
    explain,
    timeline::{Coverage, Timeline},
};
use model::{
    event::{Event, EventKind, FlowEvent, RstReason, TcpState},
    expect::Expect,
    fixtures,
    outcome::Outcome,
    packet_drop::{DropPlace, DropReason, InterfaceName, PacketDrop},
    record::{ProbeId, ProbeRecord, RstHooks, TcpInfo},
    segment::{Segment, TcpFlags},
};

/// When the first SYN leaves, in nanoseconds of `CLOCK_MONOTONIC`.
const EPOCH: u64 = 100_000_000_000;

/// What a case expects.
#[derive(Debug, Default)]
pub(super) struct Expected {
    pub(super) verdicts: BTreeMap<String, String>,
    /// Probe, words, and whether they must occur.
    pub(super) words: Vec<(String, String, bool)>,
}

/// What was reported of one probe.
#[derive(Debug)]
pub(super) struct Explained {
    pub(super) id: String,
    /// As in `expect`.
    pub(super) verdicts: String,
    /// All sentences and evidence.
    pub(super) text: String,
}

/// A case that has run.
#[derive(Debug)]
pub(super) struct Scenario {
    pub(super) expected: Expected,
    pub(super) left: usize,
    pub(super) reports: Vec<Explained>,
    pub(super) still_pending: usize,
}

impl Scenario {
    /// Runs the case in `text`.
    pub(super) fn run(text: &str) -> Result<Self, String> {
        let lines = || {
            text.lines()
                .map(|l| l.split('#').next().unwrap_or("").trim())
                .filter(|l| !l.is_empty())
                .map(|l| l.split_whitespace().collect::<Vec<_>>())
        };
        // The kernel's counts for a probe's socket are known when it ends, whether or not the events arrived.
        let mut counts = BTreeMap::<String, u32>::new();
        for words in lines() {
            if let [_, _, "of", id, ..] = words[..] {
                *counts.entry(id.to_owned()).or_default() += 1;
            }
        }
        let value = |name: &str| {
            lines().find(|l| l[0] == name).and_then(|l| l.get(1).map(|v| (*v).to_owned()))
        };
        let coverage = match value("hooks").as_deref() {
            None | Some("full") => Coverage::Full,
            Some("sockets_only") => Coverage::SocketsOnly,
            Some("incomplete") => Coverage::Incomplete,
            Some("none") => Coverage::None,
            Some(other) => return Err(format!("hooks {other}?")),
        };
        let window = value("window").map_or(Ok(1500.0), |v| number::<f64>(&v))?;
        let left = value("left").map_or(Ok(0), |v| number(&v))?;
        let mut run = Run {
            correlator: Correlator::new(ns(window), coverage),
            in_flight: false,
            out: Vec::new(),
            expected: Expected::default(),
        };
        for words in lines() {
            run.step(&words, &counts).map_err(|e| format!("{}: {e}", words.join(" ")))?;
        }
        let Run { correlator, out, expected, .. } = run;
        let of_the_case = |timeline: &Timeline| timeline.probe.confirms.is_none();
        let reports = out.into_iter().filter(of_the_case).map(explained).collect();
        Ok(Self { expected, left, reports, still_pending: correlator.len() })
    }
}

/// A case while it runs.
struct Run {
    correlator: Correlator,
    in_flight: bool,
    out: Vec<Timeline>,
    expected: Expected,
}

impl Run {
    fn step(&mut self, words: &[&str], counts: &BTreeMap<String, u32>) -> Result<(), String> {
        match words {
            ["window" | "hooks" | "left", _] => {}
            ["start"] => self.in_flight = true,
            ["end", rest @ ..] => {
                let (record, lost_before, awaits_confirmation) = record(rest, counts)?;
                self.in_flight = false;
                self.correlator.on_probe_end(EndedProbe {
                    record,
                    lost_before,
                    awaits_confirmation,
                });
            }
            ["confirm", first, outcome] => self.confirm(id(first)?, self::outcome(outcome)?)?,
            ["settle", until] => self.settle(at(until)?, 0),
            ["settle", until, "lost", lost] => self.settle(at(until)?, number(lost)?),
            ["flush", until] => {
                let observed = Observed { until: at(until)?, lost: 0 };
                self.correlator.flush(observed, &mut self.out);
            }
            ["expect", probe, verdicts @ ..] => {
                self.expected.verdicts.insert((*probe).to_owned(), verdicts.join(" "));
            }
            [verb @ ("says" | "silent"), probe, what @ ..] => {
                let words = ((*probe).to_owned(), what.join(" "), *verb == "says");
                self.expected.words.push(words);
            }
            ["rst", time] => {
                self.observe(event(time, None, fixtures::rst_without_socket())?);
            }
            ["synack", time] => {
                let segment = Some(fixtures::synack());
                self.observe(event(time, None, EventKind::SynAckRetransmit { segment })?);
            }
            ["rst", time, "of", id] => {
                self.observe(event(time, Some(id), fixtures::rst_in_syn_sent())?);
            }
            ["rst", time, "of", id, what] => {
                let kind = EventKind::RstSent {
                    socket: Some(TcpState::SynSent),
                    reason: RstReason::INVALID_ACK,
                    answers: answered(what)?,
                };
                self.observe(event(time, Some(id), kind)?);
            }
            ["rst", time, what] => {
                let (socket, reason, answers) = (None, RstReason::NO_SOCKET, answered(what)?);
                let kind = EventKind::RstSent { socket, reason, answers };
                self.observe(event(time, None, kind)?);
            }
            ["state", time, "of", id, from, to] => {
                let state = |word: &str| number::<u8>(word).map(TcpState::from);
                let kind = EventKind::StateChange { from: state(from)?, to: state(to)? };
                self.observe(event(time, Some(id), kind)?);
            }
            ["drop", time, direction, flags, place, reason] => {
                let kind = EventKind::PacketDropped(dropped(direction, flags, place, reason)?);
                self.observe(event(time, None, kind)?);
            }
            ["retransmit", time, "of", id, rest @ ..] => {
                let error = if let ["err", n] = rest { number(n)? } else { 0 };
                self.observe(event(time, Some(id), EventKind::SynRetransmit { error })?);
            }
            ["refusal", time, "of", id] => {
                self.observe(event(time, Some(id), EventKind::RstReceived)?);
            }
            _ => return Err("not understood".to_owned()),
        }
        Ok(())
    }

    fn settle(&mut self, until: u64, lost: u64) {
        let in_flight = self.in_flight;
        self.correlator.on_time([], Observed { until, lost }, |_| in_flight, &mut self.out);
    }

    /// Takes in an event. Nothing is settled by it.
    fn observe(&mut self, event: FlowEvent) {
        let observed = Observed { until: 0, lost: 0 };
        self.correlator.on_time([event], observed, |_| true, &mut self.out);
    }

    /// A confirmation probe from another port ends. It is handed out at the next `settle`.
    fn confirm(&mut self, first: ProbeId, outcome: Outcome) -> Result<(), String> {
        let line = ["9.1", "refused", "syn", "1", "norecord"];
        let (record, ..) = record(&line, &BTreeMap::new())?;
        let flow = FlowKey { local_port: 40_009, ..record.flow };
        let record = ProbeRecord { flow, outcome, confirms: Some(first), ..record };
        self.correlator.on_probe_end(EndedProbe {
            record,
            lost_before: 0,
            awaits_confirmation: false,
        });
        Ok(())
    }
}

/// What a RST answers.
fn answered(what: &str) -> Result<Option<Segment>, String> {
    let synack = fixtures::synack();
    Ok(match what {
        "synack" => Some(synack),
        "othersynack" => Some(Segment { seq: synack.seq + 555, ..synack }),
        "ack" => Some(Segment { flags: TcpFlags(0x10), seq: synack.seq + 1, ..synack }),
        "foreign" => Some(Segment { flags: TcpFlags(0x10), seq: 5, ack: 6 }),
        "data" => Some(Segment { flags: TcpFlags(0x18), seq: 5, ack: 6 }),
        "unread" => None,
        _ => return Err(format!("{what}?")),
    })
}

/// A drop of one of the probe's packets.
fn dropped(direction: &str, flags: &str, place: &str, reason: &str) -> Result<PacketDrop, String> {
    let outgoing = direction == "out";
    let synack = fixtures::synack();
    let segment = match (flags, outgoing) {
        ("SYN", true) => Segment { flags: TcpFlags(0x02), seq: fixtures::SYN_END - 1, ack: 0 },
        ("SYN-ACK", false) => synack,
        ("RST", true) => {
            Segment { flags: TcpFlags(0x14), seq: fixtures::SYN_END, ack: synack.seq + 1 }
        }
        ("RST", false) => Segment { flags: TcpFlags(0x14), seq: synack.seq + 1, ..synack },
        _ => return Err(format!("{direction} {flags}?")),
    };
    let place = match place {
        "here" => DropPlace::OurNetns,
        "there" => DropPlace::OtherNetns,
        _ => return Err(format!("{place}?")),
    };
    let reason = DropReason(Box::leak(reason.into()));
    Ok(PacketDrop { segment, outgoing, place, reason, interface: InterfaceName::new() })
}

/// The record of an `end` line, the events lost before it, and whether it awaits confirmation.
fn record(
    words: &[&str],
    counts: &BTreeMap<String, u32>,
) -> Result<(ProbeRecord, u64, bool), String> {
    let [name, outcome, words @ ..] = words else { return Err("too short".to_owned()) };
    let outcome = self::outcome(outcome)?;
    let has = |word: &str| words.contains(&word);
    let after = |word: &str| words.iter().position(|w| *w == word).and_then(|n| words.get(n + 1));
    let time = |word: &str| after(word).map(|t| at(t)).transpose();
    let count = |word: &str| after(word).map_or(Ok(0), |t| number::<u32>(t));
    let syn = time("syn")?.ok_or("no syn")?;
    let (answer, rst) = (time("answer")?.unwrap_or(0), time("rst")?.unwrap_or(0));
    let ended_at = time("end")?.unwrap_or(rst.max(answer).max(syn) + 2_000);
    let id = id(name)?;
    let reported = counts.get(*name).copied().unwrap_or(0);
    let info = after("info").map(|n| number(n)).transpose()?;
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
        syn_end: fixtures::SYN_END,
        synack_end: if answer == 0 { 0 } else { fixtures::SYNACK_SEQ + 1 },
        synack_flags: if answer == 0 { 0 } else { 0x12 },
        synack_window: if has("nowindow") { 0 } else { 65_160 },
        round_trip: after("rtt")
            .map_or(Ok(0.0), |t| number::<f64>(t))
            .map(|t| (ns(t) / 1_000) as u32)?,
        ..SlotRecord::default()
    };
    let usual = fixtures::probe_record(outcome, syn);
    let record = ProbeRecord {
        id,
        errno: after("errno").map_or(Ok(usual.errno), |n| number(n))?,
        started_at: syn - 1_000,
        ended_at,
        answered_at: if answer == 0 { 0 } else { answer + 1_000 },
        kernel: (info.is_none() && !has("norecord")).then_some(kernel),
        tcp_info: info.map(|retransmits| TcpInfo { retransmits }),
        fresh_socket: has("fresh"),
        rst_hooks: if has("functions") { RstHooks::Functions } else { RstHooks::Tracepoint },
        ..usual
    };
    Ok((record, u64::from(count("lost")?), has("awaits_confirmation")))
}

fn explained(timeline: Timeline) -> Explained {
    let probe = explain(Judged::new(timeline, Expect::Open));
    let mut explained = Explained {
        id: probe.timeline.probe.id.to_string(),
        verdicts: String::new(),
        text: String::new(),
    };
    let mut verdicts = Vec::new();
    for finding in &probe.findings {
        let link = finding.link.map_or_else(String::new, |id| format!(">{id}"));
        verdicts.push(format!("{}/{}{link}", finding.verdict.name(), finding.proof.name()));
        explained.text += &format!("{}\n", finding.sentence);
        for evidence in &finding.evidence {
            explained.text += &format!("{}\n", evidence.text);
        }
    }
    explained.verdicts = verdicts.join(" ");
    explained
}

fn event(time: &str, id: Option<&str>, kind: EventKind) -> Result<FlowEvent, String> {
    let socket = id.map(self::id).transpose()?.map(|id| (id.slot, id.generation));
    Ok(FlowEvent { flow: fixtures::tuple(), socket, event: Event { at: at(time)?, kind } })
}

fn outcome(word: &str) -> Result<Outcome, String> {
    Outcome::ALL.into_iter().find(|o| o.name() == word).ok_or(format!("outcome {word}?"))
}

fn id(word: &str) -> Result<ProbeId, String> {
    let (slot, generation) = word.split_once('.').ok_or(format!("probe {word}?"))?;
    Ok(ProbeId { slot: number(slot)?, generation: number(generation)? })
}

fn number<T: std::str::FromStr>(word: &str) -> Result<T, String> {
    word.parse().map_err(|_| format!("number {word}?"))
}

fn at(word: &str) -> Result<u64, String> {
    Ok(EPOCH + ns(number(word)?))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "milliseconds of a test case"
)]
fn ns(ms: f64) -> u64 {
    (ms * 1e6).round() as u64
}
