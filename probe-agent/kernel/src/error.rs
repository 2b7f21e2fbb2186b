//! Why the kernel does not load or attach a program, in one line, and the remedy.

use std::io;

use aya::programs::ProgramError;
use model::errno::errno_text;

use crate::privilege;

/// Why nothing can be traced or guarded.
#[derive(Clone, Debug, thiserror::Error)]
pub enum TraceError {
    /// The kernel refused `bpf()` for want of a privilege.
    #[error("the kernel does not let this process load eBPF programs ({reason}): {remedy}")]
    Permission {
        /// What it said.
        reason: String,
        /// What to do about it.
        remedy: String,
    },
    /// The host lacks something that somebody can provide.
    #[error("{reason}; {remedy}")]
    Missing {
        /// What it lacks.
        reason: String,
        /// What to do about it.
        remedy: String,
    },
    /// Anything else that loading or attaching ran into.
    #[error("loading the eBPF programs failed: {0}")]
    Load(String),
}

impl TraceError {
    /// Wraps an error of aya, telling missing privilege, descriptors and memory apart.
    pub(crate) fn from_aya(error: &(dyn std::error::Error + 'static)) -> Self {
        let reason = one_line(error);
        if is_refused(error) {
            return Self::Permission { reason, remedy: privilege::remedy() };
        }
        // Which map or program met the limit says nothing.
        match errno(error) {
            Some(libc::EMFILE | libc::ENFILE) => Self::Missing {
                reason: "no more files can be opened".to_owned(),
                remedy: "raise the limit of open files (ulimit -n)".to_owned(),
            },
            Some(libc::ENOMEM) => Self::Missing {
                reason: "there is no memory for the eBPF programs and their maps".to_owned(),
                remedy: "raise the memory limit of the agent's cgroup".to_owned(),
            },
            _ => Self::Load(reason),
        }
    }

    /// Why, without the remedy.
    #[must_use]
    pub fn reason(&self) -> &str {
        match self {
            Self::Permission { reason, .. } | Self::Missing { reason, .. } | Self::Load(reason) => {
                reason
            }
        }
    }

    /// What to do about it; `None` where nothing is known to help.
    #[must_use]
    pub fn remedy(&self) -> Option<&str> {
        match self {
            Self::Permission { remedy, .. } | Self::Missing { remedy, .. } => Some(remedy),
            Self::Load(_) => None,
        }
    }
}

/// Whether a privilege is missing.
fn is_refused(error: &(dyn std::error::Error + 'static)) -> bool {
    matches!(errno(error), Some(libc::EPERM | libc::EACCES)) && verdict(error).is_none()
}

/// The error in one line: the operation, the kernel's error and, of a program that the verifier
/// rejects, the line of its log that says why. The whole log may have thousands of lines.
fn one_line(error: &(dyn std::error::Error + 'static)) -> String {
    let number = errno(error);
    let code = number.map(|number| errno_text(number).to_owned());
    if let Some(ProgramError::LoadError { .. }) = error.downcast_ref() {
        let code = code.unwrap_or_default();
        return match verdict(error) {
            Some(line) => format!("the verifier rejects the program ({code}): {line}"),
            None => code,
        };
    }
    match code {
        // The words around the number of a refusal say nothing that helps.
        Some(code) if is_refused(error) => code,
        Some(code) => format!("{}: {code}", first_line(&error.to_string())),
        None => first_line(&error.to_string()).to_owned(),
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default().trim()
}

/// The line in which the verifier says why it rejects a program: the last before its statistics.
fn verdict(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    let Some(ProgramError::LoadError { verifier_log, .. }) = error.downcast_ref() else {
        return None;
    };
    reason_in(&verifier_log.to_string()).map(str::to_owned)
}

fn reason_in(log: &str) -> Option<&str> {
    let is_statistics = |line: &&str| {
        ["processed ", "verification time ", "stack depth "].iter().any(|s| line.starts_with(s))
    };
    let lines = log.trim_end_matches('\0').lines().map(str::trim).rev();
    lines.filter(|line| !line.is_empty()).find(|line| !is_statistics(line))
}

/// The number of the system call's error.
fn errno(error: &(dyn std::error::Error + 'static)) -> Option<i32> {
    let mut next = Some(error);
    while let Some(cause) = next {
        if let Some(number) = cause.downcast_ref().and_then(io::Error::raw_os_error) {
            return Some(number);
        }
        next = cause.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::{TraceError, reason_in};

    #[test]
    fn one_line_of_the_verifiers_log_says_why() {
        let log = "reg type unsupported for arg#0\n0: R1=ctx() R10=fp0\n; fn answer\n\
                   12: (85) call bpf_probe_read_kernel#113\n\
                   program of this type cannot use helper bpf_probe_read_kernel#113\n\
                   processed 12 insns (limit 1000000) max_states_per_insn 0\n\n";
        let why = "program of this type cannot use helper bpf_probe_read_kernel#113";
        assert_eq!(reason_in(log), Some(why));
        assert_eq!(reason_in("\n\n"), None);
    }

    #[test]
    fn a_missing_privilege_is_told_apart() {
        let of = |number| TraceError::from_aya(&io::Error::from_raw_os_error(number));
        let refused = of(libc::EPERM);
        assert!(matches!(&refused, TraceError::Permission { .. }), "{refused:?}");
        assert!(!refused.to_string().contains("os error"), "{refused}");
        assert!(matches!(of(libc::EINVAL), TraceError::Load(_)));
        let files = of(libc::EMFILE);
        assert!(files.remedy().is_some_and(|remedy| remedy.contains("ulimit -n")), "{files:?}");
        let memory = of(libc::ENOMEM);
        assert!(
            memory.remedy().is_some_and(|remedy| remedy.contains("memory limit")),
            "{memory:?}"
        );
    }
}
