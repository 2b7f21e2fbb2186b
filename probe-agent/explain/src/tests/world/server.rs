//! A server: one request socket, which behaves as in `tcp_conn_request`, `tcp_check_req` and
//! `reqsk_timer_handler`.

use super::{Action, MS, Segment, World};
use model::event::EventKind;

/// How long a server takes from its SYN-ACK to its reset.
const UNTIL_RESET: u64 = MS / 4;

/// A request socket.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) of: u32,
    /// When the SYN left that arrived last: the timestamp that the SYN-ACK echoes.
    echo: u64,
    timeouts: u32,
    timer: u64,
    last_challenge: u64,
    is_proxy: bool,
}

impl World {
    /// `tcp_conn_request` and `tcp_check_req`.
    pub(super) fn at_server(&mut self, segment: Segment) {
        let (now, echo) = (self.now, self.now - self.one_way);
        match segment {
            Segment::Syn { of, server } => match &mut self.servers[server] {
                None => self.accept(server, of, echo),
                Some(request) if request.of == of => {
                    request.echo = echo;
                    self.answer(server, true);
                }
                Some(request) => {
                    if request.last_challenge == 0 || now - request.last_challenge >= 500 * MS {
                        request.last_challenge = now;
                        let of = request.of;
                        self.send(Segment::Challenge { of, server });
                    }
                }
            },
            Segment::Rst { of, server, .. } => {
                if self.servers[server].as_ref().is_some_and(|request| request.of == of) {
                    self.release(server);
                }
            }
            Segment::SynAck { .. } | Segment::Challenge { .. } | Segment::TargetRst { .. } => {}
        }
    }

    /// A SYN that meets no connection.
    fn accept(&mut self, server: usize, of: u32, echo: u64) {
        if self.happens(self.faults.refusal) {
            self.send(Segment::TargetRst { of, server });
            return;
        }
        let is_reset = self.happens(self.faults.target_reset);
        let is_proxy = !is_reset && self.happens(self.faults.no_window);
        if is_proxy {
            self.truth.proxied.insert(of);
        }
        self.hold(server, of, echo, is_proxy);
        self.answer(server, false);
        if is_reset {
            self.after(UNTIL_RESET, Action::TargetReset(server, of));
        }
    }

    /// Another program of this host has left a connection.
    pub(super) fn leave_foreign(&mut self, of: u32) {
        if self.servers[0].is_none() {
            self.hold(0, of, self.now, false);
        }
    }

    fn hold(&mut self, server: usize, of: u32, echo: u64, is_proxy: bool) {
        self.truth.hold(server, of, self.now);
        let request = Request { of, echo, timeouts: 0, timer: 0, last_challenge: 0, is_proxy };
        self.servers[server] = Some(request);
    }

    fn release(&mut self, server: usize) {
        self.truth.release(server, self.now);
        self.servers[server] = None;
    }

    /// The server resets what it has accepted.
    pub(super) fn reset(&mut self, server: usize, of: u32) {
        if self.servers[server].as_ref().is_some_and(|request| request.of == of) {
            self.release(server);
            self.send(Segment::TargetRst { of, server });
        }
    }

    /// Sends the SYN-ACK and starts its timer.
    fn answer(&mut self, server: usize, is_repeated: bool) {
        let grain = self.random(60) * MS;
        let order = self.order;
        let sent = self.now;
        let Some(request) = &mut self.servers[server] else { return };
        request.timer = order;
        let (of, echo, is_proxy) = (request.of, request.echo, request.is_proxy);
        let delay = (1_000 * MS) << request.timeouts;
        let segment = Segment::SynAck { of, sent, echo, server, is_proxy };
        if is_repeated && self.faults.is_local {
            self.report(EventKind::SynAckRetransmit { segment: Some(segment.header()) });
        }
        self.send(segment);
        self.after(delay + grain, Action::ServerTimer(server, order));
    }

    /// `reqsk_timer_handler`.
    pub(super) fn server_timer(&mut self, server: usize, timer: u64) {
        let Some(request) = self.servers[server].as_mut().filter(|r| r.timer == timer) else {
            return;
        };
        request.timeouts += 1;
        if request.timeouts > 5 {
            self.release(server);
        } else {
            self.answer(server, true);
        }
    }
}
