//! `probe-agent config show`: which values hold, and why?

use std::fmt::Write as _;

use super::{invalid, read_overrides};
use crate::{
    cli::config::ConfigShowArgs,
    exit::{Exit, Failure, is_shortage},
    print,
};
use ::config::{
    echo::Echo,
    files,
    load::{Loaded, load},
    schema::Labels,
    show::{self, Shown, ShownTarget},
};

/// Shows a file.
///
/// # Errors
/// The file is invalid, or cannot be read.
pub(super) fn run(args: &ConfigShowArgs) -> Result<Exit, Failure> {
    let overrides = read_overrides(&args.overrides)?;
    let bytes = files::read(&args.file).map_err(|error| match is_shortage(&error.source) {
        true => Failure::other(error),
        false => Failure::usage(error),
    })?;
    let loaded = load(&files::shown(&args.file), &bytes, overrides).map_err(|e| invalid(&e))?;
    let targets = show::targets(&loaded, args.target.as_deref());
    if let Some(name) = &args.target
        && targets.is_empty()
    {
        return Err(Failure::usage(format!(
            "--target {:?}: {} has no such target",
            Echo(name),
            loaded.source()
        )));
    }
    print(&if args.json {
        format!("{:#}\n", show::document(&loaded, &targets, args.target.is_none()))
    } else {
        text(args, &loaded, &targets)
    })
}

fn text(args: &ConfigShowArgs, loaded: &Loaded, targets: &[ShownTarget]) -> String {
    let mut text = String::new();
    if args.target.is_none() {
        text += "agent\n";
        settings(&mut text, &show::agent(loaded));
    }
    for target in targets {
        let (host, port) = &target.address;
        // A String takes whatever is written to it; so below.
        let _ =
            writeln!(text, "\ntarget {} at {host}:{port}{}", target.name, labels(&target.labels));
        settings(&mut text, &target.settings);
    }
    if args.target.is_none() {
        for source in show::sources(loaded) {
            let _ =
                writeln!(text, "\ntargets of {}{}", source.source.shown(), labels(&source.labels));
            settings(&mut text, &source.settings);
        }
    }
    text.trim_start().to_owned()
}

fn settings(text: &mut String, shown: &[Shown]) {
    let value = |shown: &Shown| match &shown.value {
        None => "-".to_owned(),
        Some(value) => value.as_str().map_or_else(|| value.to_string(), str::to_owned),
    };
    let width = |of: &dyn Fn(&Shown) -> usize| shown.iter().map(of).max().unwrap_or_default();
    let keys = width(&|shown| shown.key.len());
    let values = width(&|shown| value(shown).chars().count());
    for shown in shown {
        let _ = writeln!(
            text,
            "  {:keys$}  {:values$}  {}",
            shown.key,
            value(shown),
            if shown.value.is_some() { &shown.origin } else { "not set" }
        );
    }
}

fn labels(labels: &Labels) -> String {
    if labels.is_empty() {
        return String::new();
    }
    let all: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
    format!("  {{{}}}", all.join(", "))
}
