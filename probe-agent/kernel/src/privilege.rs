//! Which privileges this thread lacks for loading eBPF programs, and what the kernel's lockdown forbids.

use std::fs;

/// The Linux capabilities that the programs need (`include/uapi/linux/capability.h`), by their numbers.
const NEEDED: [(u32, &str); 3] = [(39, "CAP_BPF"), (38, "CAP_PERFMON"), (12, "CAP_NET_ADMIN")];

/// It includes the first two.
const CAP_SYS_ADMIN: u32 = 21;

/// What to do where the kernel refuses `bpf()` for want of a privilege.
pub(crate) fn remedy() -> String {
    // The thread's, not the process's: they may differ.
    let status = fs::read_to_string("/proc/thread-self/status").unwrap_or_default();
    remedy_for(effective(&status).map(missing).as_deref())
}

fn remedy_for(missing: Option<&[&str]>) -> String {
    match missing {
        Some([]) => {
            "this process has the capabilities: allow bpf() in its seccomp profile or security \
                     module, run it outside of its user namespace or, before Linux 5.11, raise its limit \
                     of locked memory (ulimit -l unlimited)"
                .to_owned()
        }
        Some([one]) => format!("run as root, or grant {one}"),
        Some([first @ .., last]) => {
            format!("run as root, or grant {} and {last}", first.join(", "))
        }
        None => "run as root, or grant CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN".to_owned(),
    }
}

/// The effective capabilities in `/proc/PID/status`, a bit for each.
fn effective(status: &str) -> Option<u64> {
    let mask = status.lines().find_map(|line| line.strip_prefix("CapEff:"))?;
    u64::from_str_radix(mask.trim(), 16).ok()
}

fn missing(effective: u64) -> Vec<&'static str> {
    let has = |number: u32| effective >> number & 1 == 1;
    let lacks = |(number, _): &(u32, &str)| !has(*number) && (*number < 38 || !has(CAP_SYS_ADMIN));
    NEEDED.into_iter().filter(lacks).map(|(_, name)| name).collect()
}

/// Whether the kernel is locked down so far that no program may read its memory at will.
pub(crate) fn is_confidential() -> bool {
    let state = fs::read_to_string("/sys/kernel/security/lockdown").unwrap_or_default();
    state.contains("[confidentiality]")
}

#[cfg(test)]
mod tests {
    use super::{effective, missing, remedy_for};

    #[test]
    fn the_capabilities_that_are_missing_are_named() {
        let status = "Name:\tagent\nCapPrm:\t0000000000000000\nCapEff:\t000000c000001000\n";
        assert_eq!(effective(status), Some(0xc0_0000_1000));
        assert!(missing(0xc0_0000_1000).is_empty());
        assert_eq!(missing(1 << 21), ["CAP_NET_ADMIN"]);
        assert_eq!(missing(1 << 12), ["CAP_BPF", "CAP_PERFMON"]);
        assert_eq!(missing(0), ["CAP_BPF", "CAP_PERFMON", "CAP_NET_ADMIN"]);
        assert_eq!(effective("Name:\tagent\n"), None);
    }

    #[test]
    fn the_remedy_names_them() {
        let remedy = |effective| remedy_for(Some(&missing(effective)));
        assert_eq!(remedy(1 << 12), "run as root, or grant CAP_BPF and CAP_PERFMON");
        assert_eq!(remedy(0), "run as root, or grant CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN");
        assert_eq!(remedy(1 << 21), "run as root, or grant CAP_NET_ADMIN");
        assert!(remedy(u64::MAX).contains("seccomp"));
    }
}
