//! Why tracing is not to be had: what is missing, what that costs, and the remedy.

use std::{io, path::PathBuf};

/// Something that tracing needs and that this host does not give.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// tracefs is not mounted and could not be mounted.
    #[error(
        "tracefs is not mounted and mounting it failed ({0}): run it as root, or have root `mount -t tracefs tracefs /sys/kernel/tracing`"
    )]
    NoTracefs(io::Error),
    /// BTF does not describe the raw tracepoints, which were asked for.
    #[error(
        "{0} is missing or does not describe the tracepoints: raw tracepoints need a kernel with CONFIG_DEBUG_INFO_BTF; use --tracepoints record"
    )]
    NoTypes(PathBuf),
    /// A `format` file could not be read.
    #[error(
        "cannot read {path} ({source}): the agent needs read access to tracefs; run it as root or with CAP_DAC_READ_SEARCH"
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A tracepoint without which nothing can be confirmed is not in this kernel.
    #[error(
        "this kernel has no tracepoint {0}: Linux 4.16 or later with CONFIG_TRACEPOINTS and CONFIG_INET is needed"
    )]
    NoHook(&'static str),
    /// A tracepoint lacks a field.
    #[error(
        "the tracepoint {hook} of this kernel has no field `{field}`: please report the contents of its `format` file"
    )]
    NoField {
        /// The tracepoint.
        hook: &'static str,
        /// The field.
        field: &'static str,
    },
    /// The kernel refused `bpf()` or `perf_event_open()`.
    #[error(
        "the kernel does not let this process load eBPF programs ({0}): run as root, or grant CAP_BPF and CAP_PERFMON"
    )]
    Permission(String),
    /// Anything else that loading or attaching ran into.
    #[error("loading the eBPF programs failed: {0}")]
    Load(String),
}

impl TraceError {
    /// Wraps an error of aya, with all of its causes, telling missing privilege apart.
    pub(super) fn from_aya(error: &(dyn std::error::Error + 'static)) -> Self {
        let mut text = error.to_string();
        let mut refused = false;
        let mut next = Some(error);
        while let Some(cause) = next {
            if let Some(io) = cause.downcast_ref::<io::Error>() {
                refused |= matches!(io.raw_os_error(), Some(libc::EPERM | libc::EACCES));
            }
            let part = cause.to_string();
            if !text.contains(&part) {
                text = format!("{text}: {part}");
            }
            if let Some(number) = cause.downcast_ref().and_then(io::Error::raw_os_error) {
                // The words before it say the same.
                text = text.replace(&format!(" (os error {number})"), "");
            }
            next = cause.source();
        }
        if refused { Self::Permission(text) } else { Self::Load(text) }
    }
}
