//! What a checker is built from.

use std::{fmt, time::Duration};

use engine::settings::{PortPolicy, Settings, SocketSettings};
use model::expect::Expect;

use crate::SettledProbe;

/// Default number of slots. A probe of a nearby backend takes some 100 us, so that these are enough for
/// all that one thread can do. At 100 ms they are enough for 10,000 checks a second.
const SLOTS: u32 = 1024;

/// Default bound of the queue.
const QUEUE: usize = 4096;

/// Default settle window. A Linux server that did not receive the RST retransmits its SYN-ACK after 1 s.
const SETTLE: Duration = Duration::from_secs(2);

/// Receives the settled probes.
pub(crate) type Hook = Box<dyn FnMut(SettledProbe) + Send>;

/// The settings of a checker.
pub(crate) struct CheckerConfig {
    pub(crate) settings: Settings,
    pub(crate) queue: usize,
    pub(crate) kernel: bool,
    pub(crate) ack_guard: bool,
    pub(crate) require_half_open: bool,
    pub(crate) on_settled: Option<Hook>,
}

impl Default for CheckerConfig {
    fn default() -> Self {
        Self {
            settings: Settings {
                interval: Duration::ZERO,
                concurrency: 0,
                timeout: Duration::ZERO,
                settle: SETTLE,
                slots: SLOTS,
                first_slot: 0,
                port_policy: PortPolicy::Rotate,
                expect: Expect::Open,
                socket: SocketSettings::default(),
            },
            queue: QUEUE,
            kernel: true,
            ack_guard: true,
            require_half_open: false,
            on_settled: None,
        }
    }
}

/// Shows the settings; of the hook only whether there is one.
impl fmt::Debug for CheckerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { settings, queue, kernel, ack_guard, require_half_open, on_settled } = self;
        f.debug_struct("Builder")
            .field("settings", settings)
            .field("queue", queue)
            .field("kernel", kernel)
            .field("ack_guard", ack_guard)
            .field("require_half_open", require_half_open)
            .field("on_settled", &on_settled.is_some())
            .finish()
    }
}
