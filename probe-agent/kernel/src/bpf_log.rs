//! What the programs log: things that no known kernel does. With the feature `log` it goes to `tracing`;
//! without, nobody reads it.

#[cfg(feature = "log")]
pub(crate) use self::forwarded::BpfLog;
#[cfg(not(feature = "log"))]
pub(crate) use self::unread::BpfLog;

#[cfg(feature = "log")]
mod forwarded {
    use aya::Ebpf;
    use aya_log::EbpfLogger;

    /// The ring buffer of the programs' log.
    pub(crate) struct BpfLog(EbpfLogger<Forward>);

    impl BpfLog {
        /// `None` where the log cannot be read: that costs nothing but the log.
        pub(crate) fn open(programs: &mut Ebpf) -> Option<Self> {
            EbpfLogger::init_with_logger(programs, Forward).ok().map(Self)
        }

        /// Passes on what is there.
        pub(crate) fn forward(&mut self) {
            self.0.flush();
        }
    }

    /// Each message becomes an event of `tracing`.
    #[derive(Debug)]
    struct Forward;

    impl log::Log for Forward {
        fn enabled(&self, _: &log::Metadata<'_>) -> bool {
            true
        }

        fn log(&self, record: &log::Record<'_>) {
            tracing::warn!(target: "probe_agent::bpf", "{}", record.args());
        }

        fn flush(&self) {}
    }
}

#[cfg(not(feature = "log"))]
mod unread {
    use aya::Ebpf;

    /// A log that nobody reads.
    pub(crate) struct BpfLog;

    impl BpfLog {
        pub(crate) fn open(_: &mut Ebpf) -> Option<Self> {
            None
        }

        pub(crate) fn forward(&mut self) {}
    }
}
