//! The server: one request socket, which behaves as in `tcp_conn_request`, `tcp_check_req` and
//! `reqsk_timer_handler`.

use super::{Action, MS, Segment, World};

/// A request socket.
#[derive(Debug)]
pub(super) struct Request {
    of: u32,
    /// When the SYN left that arrived last: the timestamp that the SYN-ACK echoes.
    echo: u64,
    timeouts: u32,
    timer: u64,
    last_challenge: u64,
}

impl World {
    /// `tcp_conn_request` and `tcp_check_req`.
    pub(super) fn at_server(&mut self, segment: Segment) {
        let now = self.now;
        let echo = now - self.one_way;
        match (segment, &mut self.server) {
            (Segment::Syn(of), None) => {
                self.server = Some(Request { of, echo, timeouts: 0, timer: 0, last_challenge: 0 });
                self.answer();
            }
            (Segment::Syn(of), Some(request)) if request.of == of => {
                request.echo = echo;
                self.answer();
            }
            (Segment::Syn(_), Some(request)) => {
                if request.last_challenge == 0 || now - request.last_challenge >= 500 * MS {
                    request.last_challenge = now;
                    let of = request.of;
                    self.send(Segment::Challenge(of));
                }
            }
            (Segment::Rst { of, .. }, Some(request)) if request.of == of => self.server = None,
            (Segment::Rst { .. } | Segment::SynAck { .. } | Segment::Challenge(_), _) => {}
        }
    }

    /// Sends the SYN-ACK and starts its timer.
    fn answer(&mut self) {
        let grain = self.random(60) * MS;
        let order = self.order;
        let Some(request) = &mut self.server else { return };
        request.timer = order;
        let (of, echo, delay) = (request.of, request.echo, (1_000 * MS) << request.timeouts);
        self.send(Segment::SynAck { of, sent: self.now, echo });
        self.after(delay + grain, Action::ServerTimer(order));
    }

    /// `reqsk_timer_handler`.
    pub(super) fn server_timer(&mut self, timer: u64) {
        let Some(request) = self.server.as_mut().filter(|r| r.timer == timer) else { return };
        request.timeouts += 1;
        if request.timeouts > 5 {
            self.server = None;
        } else {
            self.answer();
        }
    }
}
