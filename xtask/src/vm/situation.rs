//! What each virtual machine goes through, as data.

/// One start of a kernel.
pub(super) struct Boot {
    /// In file names.
    pub(super) name: &'static str,
    /// In progress lines.
    pub(super) title: &'static str,
    /// What is added to the kernel's command line.
    pub(super) parameters: &'static str,
    pub(super) situations: &'static [Situation],
}

/// What a kernel or a privilege lacks, and what is run there.
pub(super) struct Situation {
    /// In the transcript.
    pub(super) name: &'static str,
    /// In the page.
    pub(super) title: &'static str,
    pub(super) kind: Kind,
    /// Shell commands around it.
    before: &'static str,
    after: &'static str,
    command: &'static str,
}

/// What it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The demo: which verdicts are seen.
    Demo,
    /// One probe: what the agent can do, and what it says about the rest.
    Check,
}

const fn demo(name: &'static str, title: &'static str, command: &'static str) -> Situation {
    Situation { name, title, kind: Kind::Demo, before: "", after: "", command }
}

/// One probe by an ordinary user with these capabilities.
const fn with(name: &'static str, title: &'static str, command: &'static str) -> Situation {
    Situation { name, title, kind: Kind::Check, before: "", after: "", command }
}

/// Over IPv4 only: what differs does not depend on the family, and a machine is slow.
const DEMO_V4: &str = "probe-agent demo --output json --family 4";

/// Everything that the programs need.
const ALL: &str = "CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN";

/// With all of them, and with no other process in its cgroup.
const ALL_ALONE: &str = "within own as ,+bpf,+perfmon,+net_admin check";

/// Both of them.
pub(super) const BOOTS: [Boot; 2] = [
    Boot {
        name: "plain",
        title: "as it is",
        parameters: "",
        situations: &[
            demo("everything", "everything", "probe-agent demo --output json"),
            Situation {
                before: "umount /sys/fs/cgroup",
                after: "mount -t cgroup2 none /sys/fs/cgroup",
                ..demo("no-cgroup", "no cgroup v2", DEMO_V4)
            },
            Situation {
                before: "mount -t tmpfs none /sys/kernel/btf",
                after: "umount /sys/kernel/btf",
                ..demo("no-btf", "no kernel BTF", DEMO_V4)
            },
            with("root", "root", "check"),
            with("user", "none", "as '' check"),
            with("bpf", "CAP_BPF", "as ,+bpf check"),
            with("net-admin", "CAP_NET_ADMIN", "as ,+net_admin check"),
            with("bpf-net-admin", "CAP_BPF, CAP_NET_ADMIN", "as ,+bpf,+net_admin check"),
            with("bpf-perfmon", "CAP_BPF, CAP_PERFMON", "as ,+bpf,+perfmon check"),
            with("all", ALL, "as ,+bpf,+perfmon,+net_admin check"),
            Situation {
                before: "mkdir /sys/fs/cgroup/own",
                after: "rmdir /sys/fs/cgroup/own",
                ..with("own-cgroup", "the same in a cgroup of its own", ALL_ALONE)
            },
            Situation {
                before: "sysctl -q -w kernel.perf_event_paranoid=4; mkdir /sys/fs/cgroup/own",
                after: "sysctl -q -w kernel.perf_event_paranoid=2; rmdir /sys/fs/cgroup/own",
                ..with("paranoid", "the same with kernel.perf_event_paranoid=4", ALL_ALONE)
            },
            Situation {
                before: "ulimit -l 64; mkdir /sys/fs/cgroup/own",
                after: "ulimit -l unlimited; rmdir /sys/fs/cgroup/own",
                ..with("memlock", "the same with 64 KiB of locked memory", ALL_ALONE)
            },
            Situation {
                before: "sysctl -q -w kernel.unprivileged_bpf_disabled=0",
                after: "sysctl -q -w kernel.unprivileged_bpf_disabled=2",
                ..with(
                    "bpf-for-all",
                    "none, with kernel.unprivileged_bpf_disabled=0",
                    "as '' check",
                )
            },
        ],
    },
    Boot {
        name: "lockdown",
        title: "lockdown=confidentiality",
        parameters: "lockdown=confidentiality",
        situations: &[
            demo("lockdown", "lockdown", DEMO_V4),
            with("root-lockdown", "root, lockdown=confidentiality", "check"),
        ],
    },
];

impl Boot {
    /// The shell commands that go through all of its situations.
    pub(super) fn script(&self) -> String {
        let lines = self.situations.iter().map(|situation| {
            let Situation { name, before, after, command, .. } = situation;
            let lines = [*before, &format!("run {name} {command}"), *after];
            lines
                .into_iter()
                .filter(|line| !line.is_empty())
                .map(|l| format!("{l}\n"))
                .collect::<String>()
        });
        lines.collect()
    }
}

/// The situation of a name.
pub(super) fn find(name: &str) -> Option<&'static Situation> {
    BOOTS.iter().flat_map(|boot| boot.situations).find(|situation| situation.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_what_is_taken_away_is_given_back() {
        let all: Vec<_> = BOOTS.iter().flat_map(|boot| boot.situations).collect();
        for situation in &all {
            assert_eq!(all.iter().filter(|other| other.name == situation.name).count(), 1);
            assert_eq!(situation.before.is_empty(), situation.after.is_empty());
        }
        let script = BOOTS[0].script();
        let taken = script.find("umount /sys/fs/cgroup\nrun no-cgroup").unwrap();
        assert!(script[taken..].contains("mount -t cgroup2"));
    }
}
