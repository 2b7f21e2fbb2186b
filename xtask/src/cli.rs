//! The command line.

use crate::failure::{Failure, Result, USAGE};

/// What `cargo xtask help` prints.
pub(crate) const HELP: &str = "\
Usage: cargo xtask COMMAND

  demo [ARGS...]    set up what is missing, build, and run `probe-agent demo ARGS`
  test [ARGS...]    set up what is missing, and run every check and test;
                    with ARGS run only the tests and pass ARGS to each test program
                    (a filter, --nocapture, ...)
  vm [--check] [PACKAGE...]
                    run the demo on other kernels, in virtual machines, and write
                    docs/kernels.md; --check compares with it instead; with PACKAGEs
                    (linux-image-6.16: the newest of that name) print the page for those
  btf [--check]     record the BTF of those kernels and of the running one, reduced to what the
                    tests of the layout need; --check compares instead
  bench [ARGS...]   build in release mode and run the benchmarks
  build [--release] set up what is missing, and build the eBPF programs and the agent
                    in release mode
  package [--check] package the embeddable checker with its eBPF object in target/package;
                    --check also builds and runs a program that embeds it
  setup [--check]   set up everything that demo and test need; --check only lists
                    what is missing
  help              print this text

Environment:
  PROBE_AGENT_EBPF_TOOLCHAIN  which Rust builds the eBPF programs: auto (default: one that is
                              already usable, else rustup's, else Debian's), rustup or debian
  LLVM_PREFIX                 where LLVM is, if bpf-linker must be built and LLVM is not in
                              /usr/lib/llvm-N
  XDG_CACHE_HOME              its subdirectory probe-agent/ caches the tools that xtask builds
                              or downloads (default ~/.cache)

When an ordinary user runs it, it builds as that user, and uses sudo only to install
packages and to run what needs root.

Exit codes: 0 done, 1 a step failed, 2 usage error, 3 root is needed and not available.";

/// A command of xtask.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// Set up, or only check.
    Setup {
        /// Change nothing.
        check: bool,
    },
    /// Build the eBPF programs and the agent.
    Build,
    /// Package the checker.
    Package {
        /// Also build and run a program that embeds it.
        check: bool,
    },
    /// Run the demo with these arguments.
    Demo(Vec<String>),
    /// Run all checks and tests; with arguments, only the tests.
    Test(Vec<String>),
    /// Run the demo on other kernels.
    Vm {
        /// Compare with the page, and do not write it.
        check: bool,
        /// The kernels' packages; none: those of the page.
        packages: Vec<String>,
    },
    /// Record the BTF of kernels for the tests.
    Btf {
        /// Compare, and do not write.
        check: bool,
    },
    /// Run the benchmarks with these arguments.
    Bench(Vec<String>),
    /// Print [`HELP`].
    Help,
}

/// Reads the arguments that follow `cargo xtask`.
pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Task> {
    let mut arguments = arguments.into_iter();
    let Some(command) = arguments.next() else { return Ok(Task::Help) };
    let rest: Vec<String> = arguments.collect();
    match command.as_str() {
        "setup" => Ok(Task::Setup { check: only_flag(&command, &rest, "--check")? }),
        "build" => only_flag(&command, &rest, "--release").map(|_| Task::Build),
        "package" => Ok(Task::Package { check: only_flag(&command, &rest, "--check")? }),
        "demo" => Ok(Task::Demo(rest)),
        "test" => Ok(Task::Test(rest)),
        "bench" => Ok(Task::Bench(rest)),
        "vm" => vm(rest),
        "btf" => Ok(Task::Btf { check: only_flag(&command, &rest, "--check")? }),
        "help" | "--help" | "-h" => Ok(Task::Help),
        other => Err(usage(format!("`{other}` is not a command of xtask"))),
    }
}

fn vm(rest: Vec<String>) -> Result<Task> {
    let (flags, packages): (Vec<_>, Vec<_>) = rest.into_iter().partition(|a| a.starts_with('-'));
    let check = only_flag("vm", &flags, "--check")?;
    if check && !packages.is_empty() {
        return Err(usage(
            "`vm --check` takes no packages: the page is about fixed ones".to_owned(),
        ));
    }
    let is_kernel = |name: &&String| name.starts_with("linux-image-");
    match packages.iter().find(|name| !is_kernel(name)) {
        Some(other) => Err(usage(format!("`{other}` is no kernel package (linux-image-...)"))),
        None => Ok(Task::Vm { check, packages }),
    }
}

/// Whether `flag` is given; anything else is an error.
fn only_flag(command: &str, rest: &[String], flag: &str) -> Result<bool> {
    match rest.iter().find(|argument| *argument != flag) {
        Some(other) => Err(usage(format!("`{command}` does not take `{other}`"))),
        None => Ok(!rest.is_empty()),
    }
}

fn usage(message: String) -> Failure {
    Failure::new(message).remedy("`cargo xtask help` lists the commands").code(USAGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: std::result::Result<Task, &str>) {
        let found = parse(line.split_whitespace().map(str::to_owned));
        match (found, expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{line}"),
            (Err(found), Err(expected)) => {
                assert!(found.to_string().contains(expected), "{line}: {found}");
                assert_eq!(found.exit_code(), USAGE, "{line}");
            }
            (found, expected) => panic!("{line}: {found:?} is not {expected:?}"),
        }
    }

    #[test]
    fn command_lines_are_parsed() {
        check("", Ok(Task::Help));
        check("--help", Ok(Task::Help));
        check("setup", Ok(Task::Setup { check: false }));
        check("setup --check", Ok(Task::Setup { check: true }));
        check("setup --chek", Err("`--chek`"));
        check("build", Ok(Task::Build));
        check("build --release", Ok(Task::Build));
        check("package", Ok(Task::Package { check: false }));
        check("package --check", Ok(Task::Package { check: true }));
        check("demo --count 5", Ok(Task::Demo(vec!["--count".into(), "5".into()])));
        check("test lost_rst", Ok(Task::Test(vec!["lost_rst".into()])));
        check("bench", Ok(Task::Bench(vec![])));
        check("vm --check", Ok(Task::Vm { check: true, packages: vec![] }));
        let package = "linux-image-6.16".to_owned();
        check("vm linux-image-6.16", Ok(Task::Vm { check: false, packages: vec![package] }));
        check("vm --check linux-image-6.16", Err("takes no packages"));
        check("btf", Ok(Task::Btf { check: false }));
        check("btf --check", Ok(Task::Btf { check: true }));
        check("btf 6.1", Err("does not take `6.1`"));
        check("vm nginx", Err("`nginx` is no kernel package"));
        check("tset", Err("`tset` is not a command"));
    }
}
