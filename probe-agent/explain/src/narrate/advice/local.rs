//! Advice where this host could not run the probe.

use super::super::view::View;
use model::{claim::Act, errno::NameError, record::StartProblem};

const POLICY: &str = "A policy of this host forbids the connection: a BPF program on the cgroup (bpftool cgroup \
                      tree, systemctl show -p IPAddressDeny), an LSM, seccomp or IPsec (ip xfrm policy).";

/// Advice for an errno of this host.
pub(super) fn local(view: View<'_>) -> Option<String> {
    // A probe without a port had no socket yet.
    let (errno, source, is_connect) = view.find(|claim| match claim.act {
        Act::FailedToRun { errno, problem, has_port } => Some((errno, problem, has_port)),
        _ => None,
    })?;
    let text = match errno {
        errno if NameError::from_errno(errno).is_some() => {
            "Check the name, and the name servers in /etc/resolv.conf. The name is looked up again."
        }
        _ if source == StartProblem::Tentative => {
            "This host's IPv6 address for the target is tentative: duplicate address detection has not \
             finished (`ip -6 addr`). Wait, or set net.ipv6.conf.INTERFACE.optimistic_dad."
        }
        _ if source == StartProblem::NoIpv6 => {
            "This host has no IPv6 address that leads to other hosts, or IPv6 is disabled \
             (net.ipv6.conf.all.disable_ipv6)."
        }
        _ if source == StartProblem::Broadcast => {
            "The target is a broadcast address; TCP needs one host's."
        }
        _ if source == StartProblem::Prohibited => {
            "A `prohibit` route or rule of this host forbids the target (ip route get ADDRESS, ip rule)."
        }
        _ if source == StartProblem::Policy => POLICY,
        _ if source == StartProblem::PrivilegedPort => {
            "A source port below 1024 needs CAP_NET_BIND_SERVICE (net.ipv4.ip_unprivileged_port_start)."
        }
        _ if source == StartProblem::NoFreePort => {
            "No source port is free: other sockets, also in TIME_WAIT, use all of \
             net.ipv4.ip_local_port_range, or net.ipv4.ip_local_reserved_ports excludes them."
        }
        _ if source == StartProblem::NoFreeSourcePort => {
            "Another socket uses that source port. Choose another --source-port."
        }
        _ if source == StartProblem::Duplicate => {
            "This host's IPv6 address for the target failed duplicate address detection: another host has it \
             (`ip -6 addr` shows dadfailed)."
        }
        libc::EADDRNOTAVAIL => {
            "The source address does not belong to this host (see --freebind), or no source port is free \
             (net.ipv4.ip_local_port_range)."
        }
        libc::EADDRINUSE => "Another socket uses that source port. Choose another --source-port.",
        libc::EPERM if is_connect => POLICY,
        libc::EACCES => {
            "A `prohibit` rule or route, or another policy of this host, forbids it (ip rule, ip route get \
             ADDRESS mark MARK), or the agent lacks a capability."
        }
        libc::EPERM => {
            "A firewall rule on this host rejects it, or the agent lacks a capability: --mark, \
             --interface and --freebind need CAP_NET_ADMIN or CAP_NET_RAW."
        }
        libc::EMFILE | libc::ENFILE => "Too many open files. Raise `ulimit -n` or lower --slots.",
        libc::ENODEV => "There is no such network interface (see `ip link`).",
        libc::EINVAL => {
            "The source address cannot reach the target, or a `blackhole` route or rule of this host discards what \
             is sent to it (ip route get ADDRESS, ip rule)."
        }
        libc::EAGAIN => {
            "The kernel has no free source port or memory for the connection at the moment."
        }
        _ => return None,
    };
    Some(text.to_owned())
}
