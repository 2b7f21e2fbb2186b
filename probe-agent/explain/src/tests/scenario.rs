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
//! | `elsewhere MS` | `rst MS` in answer to a SYN-ACK from another address |
//! | `drop MS out\|in FLAGS here[:INTERFACE]\|there\|somewhere REASON` | `kfree_skb` of a SYN, SYN-ACK or RST of the flow; `ANSWER` is the RST that answers a SYN-ACK, `RST+100` one with other numbers, `BARE-RST` one without ACK |
//! | `state MS of ID FROM TO` | a change of state that no clean probe has |
//! | `retransmit MS of ID [err N]` | `tcp_retransmit_skb` of the SYN |
//! | `refusal MS of ID` | `tcp_receive_reset` |
//! | `synack MS` | `tcp_retransmit_synack` |
//! | `confirm ID OUTCOME [same]` | the confirmation probe, 9.1, of a refusal has ended (on the same port) |
//! | `settle MS [lost N]`, `flush MS` | all events up to then have been reported |
//! | `expect ID VERDICT/PROOF[>LINK] ..` | the verdicts that the probe must get |
//! | `says ID WORDS`, `silent ID WORDS` | what its sentences and evidence must contain, or must not |
//! | `advises ID WORDS`, `never ID WORDS` | the same of its advice |
//! | `left N` | how many probes must still be pending at the end |
//!
//! Words for ANSWERED: `synack` and `ack` (of the probe's numbers; `synack+N` and `ack+N` of those of a probe with
//! `isn N`), `foreign` (an ACK with other numbers), `othersynack` (a SYN-ACK with another sequence number),
//! `foreignsynack`, `othersequence` (an ACK with one), `data`, `unread`.
//!
//! Words of `end`: `rtt MS` (the measured round trip), `nowindow` (the SYN-ACK's), `errno N`, `icmp_from ADDRESS/TYPE/CODE`, `translated ADDRESS` (by this host's connection tracking), `lost N` (events lost by its start), `unseen N` (events that the
//! kernel counted and that never come), `info N` (no kernel record, so many retransmits in
//! `TCP_INFO`), `norecord` (neither), `norst` (the kernel saw no RST leave),
//! `icmp` (a router's host unreachable), `icmpv6` (this host's own port unreachable), `ecn`, `xdp`, `loopback` (what was found on this host), `port N` (the local port), `isn N` (so much more than usual),
//! `functions` (the functions that send RSTs report them, not the tracepoint), `segments N`, `held N`, `retransmits N` (the socket's counts), `fresh`, `awaits_confirmation`.

mod end;
mod segments;
mod words;

use std::collections::BTreeMap;

use probe_agent_common::FlowKey;

use self::{
    end::record,
    segments::{answered, dropped},
    words::{at, event, id, ns, number, outcome},
};
use crate::{
    ExplainedProbe, Judged,
    correlator::{Correlator, EndedProbe, Observed},
    explain,
    timeline::{Coverage, Timeline},
};
use model::{
    event::{EventKind, FlowEvent, RstReason, TcpState},
    expect::Expect,
    fixtures,
    outcome::Outcome,
    record::{ProbeId, ProbeRecord},
};

/// What a case expects.
#[derive(Debug, Default)]
pub(super) struct Expected {
    pub(super) verdicts: BTreeMap<String, String>,
    /// Probe, words, and whether they must occur.
    pub(super) words: Vec<(String, String, bool)>,
    /// The same of its advice.
    pub(super) advice: Vec<(String, String, bool)>,
}

/// What was reported of one probe.
#[derive(Debug)]
pub(super) struct Explained {
    pub(super) id: String,
    /// As in `expect`.
    pub(super) verdicts: String,
    /// All sentences and evidence.
    pub(super) text: String,
    /// All advice.
    pub(super) advice: String,
}

/// A case that has run.
#[derive(Debug)]
pub(super) struct Scenario {
    pub(super) expected: Expected,
    pub(super) left: usize,
    pub(super) reports: Vec<Explained>,
    /// The same probes, explained.
    pub(super) probes: Vec<ExplainedProbe>,
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
        let judge = |timeline| explain(Judged::new(timeline, Expect::Open));
        let probes: Vec<_> = out.into_iter().filter(of_the_case).map(judge).collect();
        let reports = probes.iter().map(explained).collect();
        Ok(Self { expected, left, reports, probes, still_pending: correlator.len() })
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
            ["confirm", first, outcome, rest @ ..] => {
                let port = if rest == ["same"] { fixtures::LOCAL.1 } else { 40_009 };
                self.confirm(id(first)?, self::outcome(outcome)?, port)?;
            }
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
            [verb @ ("advises" | "never"), probe, what @ ..] => {
                let words = ((*probe).to_owned(), what.join(" "), *verb == "advises");
                self.expected.advice.push(words);
            }
            ["rst", time] => {
                self.observe(event(time, None, fixtures::rst_without_socket())?);
            }
            ["synack", time] => {
                let segment = Some(fixtures::synack());
                self.observe(event(time, None, EventKind::SynAckRetransmit { segment })?);
            }
            ["elsewhere", time] => {
                let mut event = event(time, None, fixtures::rst_without_socket())?;
                event.flow.remote = probe_agent_common::v4_mapped([10, 99, 0, 9]);
                self.observe(event);
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

    /// A confirmation probe ends. It is handed out at the next `settle`.
    fn confirm(&mut self, first: ProbeId, outcome: Outcome, local_port: u16) -> Result<(), String> {
        let line = ["9.1", "refused", "syn", "1", "norecord"];
        let (record, ..) = record(&line, &BTreeMap::new())?;
        let flow = FlowKey { local_port, ..record.flow };
        let record = ProbeRecord { flow, outcome, confirms: Some(first), ..record };
        self.correlator.on_probe_end(EndedProbe {
            record,
            lost_before: 0,
            awaits_confirmation: false,
        });
        Ok(())
    }
}

fn explained(probe: &ExplainedProbe) -> Explained {
    let mut explained = Explained {
        id: probe.timeline.probe.id.to_string(),
        verdicts: String::new(),
        text: String::new(),
        advice: String::new(),
    };
    let mut verdicts = Vec::new();
    for finding in &probe.findings {
        let link = finding.link.map_or_else(String::new, |id| format!(">{id}"));
        verdicts.push(format!("{}/{}{link}", finding.verdict.name(), finding.proof.name()));
        explained.text += &format!("{}\n", finding.sentence);
        for evidence in &finding.evidence {
            explained.text += &format!("{}\n", evidence.text);
        }
        if let Some(advice) = &finding.advice {
            explained.advice += &format!("{advice}\n");
        }
    }
    explained.verdicts = verdicts.join(" ");
    explained
}
