//! Which privileges this thread lacks for loading eBPF programs, and what the kernel's lockdown forbids.

use std::fs;

use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};

/// A Linux capability that the programs need (`include/uapi/linux/capability.h`).
#[derive(Debug, PartialEq, Eq)]
struct Needed {
    number: u32,
    name: &'static str,
    /// What the kernel asks for it.
    purpose: &'static str,
}

/// In the order in which the kernel asks for them. `kernel.perf_event_paranoid` concerns none of the programs,
/// and a kernel with `kernel.unprivileged_bpf_disabled=0` asks for the same ones.
const NEEDED: [Needed; 3] = [
    Needed { number: 39, name: "CAP_BPF", purpose: "makes maps and loads programs" },
    Needed { number: 38, name: "CAP_PERFMON", purpose: "lets programs read kernel structures" },
    Needed { number: 12, name: NET_ADMIN, purpose: "attaches programs to a cgroup" },
];

const NET_ADMIN: &str = "CAP_NET_ADMIN";

/// It includes the first two.
const CAP_SYS_ADMIN: u32 = 21;

/// What this process has and how it is confined, as far as `/proc` shows it.
#[derive(Clone, Copy, Debug, Default)]
struct Confinement {
    /// The effective capabilities, a bit for each; `None` where `/proc` does not show them.
    effective: Option<u64>,
    /// Within a user namespace that is not the host's.
    in_user_namespace: bool,
    has_seccomp_filter: bool,
    has_memlock_limit: bool,
}

impl Confinement {
    fn read() -> Self {
        // The thread's, not the process's: they may differ.
        let status = fs::read_to_string("/proc/thread-self/status").unwrap_or_default();
        let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
        let memlock = getrlimit(Resource::RLIMIT_MEMLOCK).map(|(soft, _)| soft);
        Self {
            effective: effective(&status),
            in_user_namespace: is_nested(&map),
            has_seccomp_filter: field(&status, "Seccomp:") == Some("2"),
            has_memlock_limit: memlock.is_ok_and(|soft| soft != RLIM_INFINITY),
        }
    }

    /// Those of [`NEEDED`] that are missing.
    fn missing(self) -> Vec<&'static Needed> {
        let has = |number: u32| self.effective.is_some_and(|mask| mask >> number & 1 == 1);
        let lacks = |needed: &&Needed| {
            let is_included = needed.name != NET_ADMIN && has(CAP_SYS_ADMIN);
            !has(needed.number) && !is_included
        };
        NEEDED.iter().filter(lacks).collect()
    }
}

/// What to do where the kernel refuses `bpf()` for want of a privilege.
pub(crate) fn remedy() -> String {
    remedy_for(Confinement::read())
}

/// Whether the programs on the cgroup are the only ones that the kernel refuses.
pub(crate) fn lacks_net_admin_only() -> bool {
    matches!(Confinement::read().missing()[..], [needed] if needed.name == NET_ADMIN)
}

fn remedy_for(confinement: Confinement) -> String {
    let missing = confinement.missing();
    if missing.is_empty() {
        return loosened(confinement);
    }
    format!("run as root, or {}", grant(&missing))
}

/// What else to grant, where something other than a privilege is in the way first; `None` if nothing is
/// missing.
pub(crate) fn also() -> Option<String> {
    let missing = Confinement::read().missing();
    (!missing.is_empty()).then(|| grant(&missing))
}

/// `grant A and B (A does this, B does that)`.
fn grant(missing: &[&Needed]) -> String {
    if let [Needed { name, purpose, .. }] = missing {
        return format!("grant {name} (it {purpose})");
    }
    let names: Vec<&str> = missing.iter().map(|needed| needed.name).collect();
    let purposes = missing.iter().map(|needed| format!("{} {}", needed.name, needed.purpose));
    format!("grant {} ({})", listed(&names), purposes.collect::<Vec<_>>().join(", "))
}

/// What to do where no capability is missing.
fn loosened(confinement: Confinement) -> String {
    if confinement.in_user_namespace {
        return "its capabilities hold within its user namespace only: run it outside".to_owned();
    }
    let mut remedies = Vec::new();
    if confinement.has_seccomp_filter {
        remedies.push("allow bpf() in its seccomp profile");
    }
    if confinement.has_memlock_limit {
        remedies.push("before Linux 5.11, raise its limit of locked memory (ulimit -l unlimited)");
    }
    remedies.push("allow bpf() in the security module (SELinux, AppArmor)");
    format!("this process has the capabilities: {}", remedies.join(", or "))
}

/// `A, B and C`.
fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim)
}

/// The effective capabilities in `/proc/PID/status`.
fn effective(status: &str) -> Option<u64> {
    u64::from_str_radix(field(status, "CapEff:")?, 16).ok()
}

/// Whether `/proc/PID/uid_map` maps less than every user to itself (user_namespaces(7)).
fn is_nested(uid_map: &str) -> bool {
    let words: Vec<&str> = uid_map.split_whitespace().collect();
    !words.is_empty() && words != ["0", "0", "4294967295"]
}

/// Whether the kernel is locked down so far that no program may read its memory at will.
pub(crate) fn is_confidential() -> bool {
    let state = fs::read_to_string("/sys/kernel/security/lockdown").unwrap_or_default();
    state.contains("[confidentiality]")
}

#[cfg(test)]
mod tests {
    use super::{Confinement, effective, is_nested, remedy_for};

    fn with(effective: u64) -> Confinement {
        Confinement { effective: Some(effective), ..Confinement::default() }
    }

    fn missing(effective: u64) -> Vec<&'static str> {
        with(effective).missing().iter().map(|needed| needed.name).collect()
    }

    #[test]
    fn the_capabilities_that_are_missing_are_named() {
        let status = "Name:\tagent\nCapPrm:\t0000000000000000\nCapEff:\t000000c000001000\n";
        assert_eq!(effective(status), Some(0xc0_0000_1000));
        assert!(missing(0xc0_0000_1000).is_empty());
        assert_eq!(missing(1 << 21), ["CAP_NET_ADMIN"]);
        assert_eq!(missing(1 << 12), ["CAP_BPF", "CAP_PERFMON"]);
        assert_eq!(missing(3 << 38), ["CAP_NET_ADMIN"]);
        assert_eq!(missing(0), ["CAP_BPF", "CAP_PERFMON", "CAP_NET_ADMIN"]);
        assert_eq!(effective("Name:\tagent\n"), None);
    }

    #[test]
    fn the_remedy_names_them_and_what_each_is_for() {
        let remedy = |effective| remedy_for(with(effective));
        assert!(remedy(1 << 12).starts_with("run as root, or grant CAP_BPF and CAP_PERFMON ("));
        let all = "run as root, or grant CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN (CAP_BPF makes maps and \
                   loads programs, CAP_PERFMON lets programs read kernel structures, CAP_NET_ADMIN \
                   attaches programs to a cgroup)";
        assert_eq!(remedy(0), all);
        assert_eq!(remedy_for(Confinement::default()), all);
        let one = "run as root, or grant CAP_NET_ADMIN (it attaches programs to a cgroup)";
        assert_eq!(remedy(1 << 21), one);
    }

    #[test]
    fn without_a_missing_capability_it_names_only_what_confines_the_process() {
        let remedy = |confinement: Confinement| remedy_for(confinement);
        let all = with(u64::MAX);
        assert!(!remedy(all).contains("seccomp") && !remedy(all).contains("ulimit"));
        assert!(remedy(Confinement { has_seccomp_filter: true, ..all }).contains("seccomp"));
        assert!(remedy(Confinement { has_memlock_limit: true, ..all }).contains("ulimit -l"));
        let nested = remedy(Confinement { in_user_namespace: true, ..all });
        assert!(nested.ends_with("its user namespace only: run it outside"), "{nested}");
    }

    #[test]
    fn only_the_hosts_user_namespace_maps_every_user_to_itself() {
        assert!(!is_nested("         0          0 4294967295\n"));
        assert!(is_nested("         0       1000          1\n"));
        assert!(!is_nested(""));
    }
}
