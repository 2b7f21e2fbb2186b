//! `probe-agent config check`: are these files valid?

use std::{fmt::Write as _, path::Path};

use ::config::{
    files,
    load::load,
    overrides::Overrides,
    plan::{Discovered, plan},
    show,
};
use model::human::counted;

use super::read_overrides;
use crate::{
    cli::config::ConfigCheckArgs,
    exit::{Exit, Failure},
    print,
};

/// Checks each file by itself.
///
/// # Errors
/// A file is invalid, or cannot be read.
pub(super) fn run(args: &ConfigCheckArgs) -> Result<Exit, Failure> {
    let overrides = read_overrides(&args.overrides)?;
    let mut text = String::new();
    let invalid = args.files.iter().filter(|file| !check(file, &overrides, &mut text)).count();
    print(&text)?;
    match invalid {
        0 => Ok(Exit::AsExpected),
        _ => Err(Failure::usage(counted(invalid as u64, "invalid file"))),
    }
}

/// Appends what is to say of a file. Returns whether it is valid.
fn check(file: &Path, overrides: &Overrides, text: &mut String) -> bool {
    let name = files::shown(file);
    let loaded = match files::read(file) {
        Ok(bytes) => load(&name, &bytes, overrides.clone()),
        Err(error) => {
            // A String takes whatever is written to it; so below.
            let _ = writeln!(text, "{error}");
            return false;
        }
    };
    match loaded {
        Err(problems) => {
            let _ = writeln!(text, "{problems}");
            if problems.left_out() > 0 {
                let _ = writeln!(text, "{name}: {} more problems", problems.left_out());
            }
            false
        }
        Ok(loaded) => {
            for warning in loaded.warnings().iter() {
                let _ = writeln!(text, "warning: {warning}");
            }
            let plan = plan(&loaded, &Discovered::new());
            let sources = show::sources(&loaded).len() as u64;
            let _ = writeln!(
                text,
                "{name}: valid: {}, {}, {} of further targets",
                counted(plan.targets as u64, "target"),
                counted(plan.probes.len() as u64, "probe"),
                counted(sources, "source")
            );
            true
        }
    }
}
