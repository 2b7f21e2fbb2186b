//! The rules for flags, alone and in combination.

use ::config::{
    target_spec::{MOST_TARGETS, TargetSpec},
    values::{InterfaceName, PortRange, SHORTEST_TIME},
};
use model::time_span::TimeSpan;
use report::format::OutputFormat;

use super::error::ConfigError;
use crate::{
    cli::check::CheckArgs,
    names::{Choice, Families},
};

/// There must be a target. Those of the command line come first.
pub(super) fn targets(
    named: &[String],
    listed: Vec<TargetSpec>,
) -> Result<Vec<TargetSpec>, ConfigError> {
    let parse = |name: &String| {
        name.parse().map_err(|problem| ConfigError::Target { name: name.clone(), problem })
    };
    let mut targets = named.iter().map(parse).collect::<Result<Vec<TargetSpec>, _>>()?;
    targets.extend(listed);
    match targets.len() {
        0 => Err(ConfigError::NoTargets),
        count if count > MOST_TARGETS => Err(ConfigError::TooManyTargets(count)),
        _ => Ok(targets),
    }
}

/// The source address must be a unicast address of the targets' family.
pub(super) fn source(args: &CheckArgs, targets: &[TargetSpec]) -> Result<(), ConfigError> {
    // The socket's interface completes a link-local address just as a zone does.
    if args.interface.is_none()
        && let Some(target) = targets.iter().find(|target| target.host.needs_zone())
    {
        return Err(ConfigError::NeedsZone(target.name.clone()));
    }
    let Some(source) = args.source else {
        return if args.freebind { Err(ConfigError::FreebindWithoutSource) } else { Ok(()) };
    };
    let wire = source.to_canonical();
    if !engine::source_address::is_unicast(source) {
        return Err(ConfigError::SourceAddress(source));
    }
    for target in targets {
        if let Some(target_is_ipv4) = target.host.is_ipv4()
            && target_is_ipv4 != wire.is_ipv4()
        {
            return Err(ConfigError::SourceFamily {
                name: target.name.clone(),
                target_is_ipv4,
                source_address: source,
            });
        }
    }
    Ok(())
}

/// An address must be of the family that `-4` or `-6` leaves.
pub(super) fn family(args: &CheckArgs, targets: &[TargetSpec]) -> Result<(), ConfigError> {
    let families = families(args);
    if let Some(source) = args.source
        && !families.contain(source)
    {
        return Err(ConfigError::FamilyOfSource { source_address: source, flag: flag(args) });
    }
    match targets.iter().find(|target| target.host.ip().is_some_and(|ip| !families.contain(ip))) {
        Some(target) => Err(ConfigError::Family { name: target.name.clone(), flag: flag(args) }),
        None => Ok(()),
    }
}

/// Which addresses of names are probed.
pub(super) fn choice(args: &CheckArgs) -> Choice {
    Choice {
        resolve: args.resolve,
        families: args.source.map_or_else(|| families(args), Families::of),
        source: args.source,
        has_interface: args.interface.is_some(),
    }
}

fn families(args: &CheckArgs) -> Families {
    match (args.ipv4, args.ipv6) {
        (true, _) => Families::V4,
        (false, true) => Families::V6,
        (false, false) => Families::Both,
    }
}

const fn flag(args: &CheckArgs) -> &'static str {
    if args.ipv4 { "-4" } else { "-6" }
}

/// The jitter must not be longer than any interval.
pub(super) fn jitter(args: &CheckArgs, targets: &[TargetSpec]) -> Result<(), ConfigError> {
    for target in targets {
        let interval = target.interval.unwrap_or(args.interval.0);
        if let Some(jitter) = args.jitter.exceeds(interval) {
            return Err(ConfigError::JitterOverInterval {
                jitter,
                interval: TimeSpan(interval),
                name: target.interval.map(|_| target.name.clone()),
            });
        }
    }
    Ok(())
}

/// The kernel must accept the name of the interface.
pub(super) fn interface(name: &str) -> Result<(), ConfigError> {
    let parsed = name.parse::<InterfaceName>().map(drop);
    parsed.map_err(|_| ConfigError::Interface(name.to_owned()))
}

/// The timeout must be long enough for an answer.
pub(super) fn timeout(timeout: TimeSpan) -> Result<(), ConfigError> {
    if timeout < SHORTEST_TIME { Err(ConfigError::ShortTimeout(timeout)) } else { Ok(()) }
}

/// Only JSON lines have outcomes of their own.
pub(super) fn early(args: &CheckArgs) -> Result<(), ConfigError> {
    if args.early && args.output != OutputFormat::Jsonl {
        return Err(ConfigError::EarlyNeedsJsonl);
    }
    Ok(())
}

/// The limit on source ports that follows from the flags; there must be one for each worker.
pub(super) fn slots(args: &CheckArgs) -> Result<Option<u32>, ConfigError> {
    let slots = match (args.slots, args.source_port) {
        (Some(slots), Some(ports)) if slots > ports.count() => {
            return Err(ConfigError::SlotsOverPorts { slots, ports });
        }
        (Some(slots), _) => Some(slots),
        (None, ports) => ports.map(PortRange::count),
    };
    // Without a limit the number of slots follows from the schedule, and is high enough.
    match slots {
        Some(slots) => match args.workers {
            Some(workers) if workers > slots => {
                Err(ConfigError::WorkersOverSlots { workers, slots })
            }
            _ => Ok(Some(slots)),
        },
        None => Ok(None),
    }
}
