//! Rules for settings that must fit together, apart from those for single targets.

use std::collections::HashMap;

use model::time_span::TimeSpan;

use super::{FoundAgent, Loaded, Section};
use crate::{
    origin::{Found, Layer},
    problem::{Problem, Problems},
    schema::{FoundPolicy, SHORTEST_CONFIRMING_SETTLE},
    values::{FilePath, LabelValue, Switch},
};

/// What is wrong with the agent, the defaults and the groups.
pub(super) fn problems(loaded: &Loaded) -> Problems {
    let mut problems = Problems::default();
    agent(loaded, &loaded.agent(), &mut problems);
    for section in loaded.sections() {
        policy(loaded, &section.policy(None), &section.key(""), &mut problems);
        sources(loaded, section, &mut problems);
        if let Some(name) = section.group
            && let Err(error) = name.parse::<LabelValue>()
        {
            let (source, key) = (loaded.source.clone(), section.key(""));
            let text = format!("not the name of a group: {error}");
            problems.push(Problem { source, position: None, key, text });
        }
    }
    problems
}

/// No source may be read twice: its targets would all be duplicates.
fn sources(loaded: &Loaded, section: Section<'_>, problems: &mut Problems) {
    let files = section.file_sd().filter_map(|(index, entry)| {
        Some((format!("file_sd[{index}]"), entry.files.first()?.position))
    });
    let urls =
        section.http_sd().map(|(index, entry)| (format!("http_sd[{index}]"), entry.url.position));
    let mut seen = HashMap::new();
    for ((key, position), (source, _)) in files.chain(urls).zip(section.sources()) {
        let Some(first) = seen.insert(source, key.clone()) else { continue };
        problems.push(Problem {
            source: loaded.source.clone(),
            position: Some(position),
            key: section.key(&key),
            text: format!("the same as {}; remove one", section.key(&first)),
        });
    }
}

/// What is valid but has a cost.
pub(super) fn warnings(loaded: &Loaded) -> Problems {
    let mut warnings = Problems::default();
    let is_empty = loaded.sections().all(|section| {
        section.targets().next().is_none()
            && section.file_sd().next().is_none()
            && section.http_sd().next().is_none()
    });
    if is_empty {
        warnings.push(Problem {
            source: loaded.source.clone(),
            position: None,
            key: String::new(),
            text: "no targets; add targets, file_sd or http_sd".to_owned(),
        });
    }
    for section in loaded.sections() {
        settle(loaded, &section.policy(None), &section.key(""), &mut warnings);
        for target in section.targets().filter(|target| target.settings.settle.is_some()) {
            let key = section.key(&format!("targets[{}]", target.index));
            settle(loaded, &section.policy(Some(target.settings)), &key, &mut warnings);
        }
    }
    warnings
}

fn settle(loaded: &Loaded, found: &FoundPolicy, section: &str, warnings: &mut Problems) {
    let Some(settle) = &found.settle else { return };
    if settle.value.get() < SHORTEST_CONFIRMING_SETTLE {
        let text = format!(
            "a server retransmits its SYN-ACK 1 s after a lost RST; with {} instead of 1100ms a clean probe is \
             inferred, not confirmed",
            settle.value
        );
        warnings.push(loaded.problem(Some(settle), section, "settle", text));
    }
}

fn agent(loaded: &Loaded, found: &FoundAgent, problems: &mut Problems) {
    let http = &found.http;
    if let Some(listen) = &http.listen
        && !listen.value.is_loopback()
        && http.token_file.is_none()
        && http.client_ca_file.is_none()
    {
        let text = format!(
            "{} can be reached from other hosts; set token_file or client_ca_file, or listen on 127.0.0.1",
            listen.value
        );
        problems.push(loaded.problem(Some(listen), "", "agent.http.listen", text));
    }
    let mut needs = |set: &Option<Found<FilePath>>, key, other: &Option<Found<FilePath>>, name| {
        if set.is_some() && other.is_none() {
            let text = format!("{name} is missing; one needs the other");
            problems.push(loaded.problem(set.as_ref(), "", key, text));
        }
    };
    let otlp = &found.otlp;
    needs(&http.certificate_file, "agent.http.certificate_file", &http.key_file, "key_file");
    needs(&http.key_file, "agent.http.key_file", &http.certificate_file, "certificate_file");
    needs(
        &http.client_ca_file,
        "agent.http.client_ca_file",
        &http.certificate_file,
        "certificate_file",
    );
    let (certificate, key) = (&otlp.client_certificate_file, &otlp.client_key_file);
    needs(certificate, "agent.otlp.client_certificate_file", key, "client_key_file");
    needs(key, "agent.otlp.client_key_file", certificate, "client_certificate_file");
    let limits = &found.limits;
    if let (Some(workers), Some(slots)) = (&limits.workers, &limits.slots)
        && workers.value.get() > slots.value.get()
    {
        let text = format!(
            "each worker needs its own source port, but slots allows only {}; write at most that",
            slots.value
        );
        problems.push(loaded.problem(Some(workers), "", "agent.limits.workers", text));
    }
}

/// What is wrong with the settings that hold for some target. `section` is the key of their section.
pub(super) fn policy(loaded: &Loaded, found: &FoundPolicy, section: &str, problems: &mut Problems) {
    if let (Some(fast), Some(interval)) = (&found.fast_interval, &found.interval)
        && fast.value > interval.value
    {
        let text = format!(
            "fast_interval {} is longer than interval {}; write at most that",
            fast.value, interval.value
        );
        let blamed = [(Some(fast), "fast_interval"), (Some(interval), "interval")];
        problems.push(blame(loaded, section, blamed, text));
    }
    let shortest = match (&found.fast_interval, &found.interval) {
        (Some(fast), Some(interval)) if fast.value < interval.value => (fast, "fast_interval"),
        (_, Some(interval)) => (interval, "interval"),
        (Some(fast), None) => (fast, "fast_interval"),
        (None, None) => return,
    };
    if let Some(timeout) = &found.timeout
        && timeout.value > shortest.0.value
    {
        // Otherwise two probes of a target would be in flight, and the older result could come last.
        let text = format!(
            "timeout {} is longer than {} {}; write at most that",
            timeout.value,
            shortest.1,
            TimeSpan(shortest.0.value.get())
        );
        let blamed = [(Some(timeout), "timeout"), (Some(shortest.0), shortest.1)];
        problems.push(blame(loaded, section, blamed, text));
    }
    if let (Some(freebind), None) = (&found.freebind, &found.source)
        && freebind.value == Switch::On
    {
        let text = "needs source, the address that this host does not have".to_owned();
        problems.push(loaded.problem(Some(freebind), section, "freebind", text));
    }
}

/// Of two values that contradict each other, the one that overrides more is blamed: whoever wrote it knew, or
/// could know, the other.
fn blame<T>(
    loaded: &Loaded,
    section: &str,
    blamed: [(Option<&Found<T>>, &str); 2],
    text: String,
) -> Problem {
    let layer = |found: &(Option<&Found<T>>, &str)| found.0.map_or(Layer::BuiltIn, |f| f.layer);
    let [first, second] = blamed;
    let (found, key) = if layer(&second) < layer(&first) { second } else { first };
    loaded.problem(found, section, key, text)
}
