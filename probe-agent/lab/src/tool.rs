//! Runs `ip` and `nft` inside a namespace.

use std::io::{self, Write};
use std::process::{Command, Output, Stdio};

use super::{LabError, Namespace, Result};

/// A program that the lab needs.
struct Tool {
    program: &'static str,
    package: &'static str,
}

const IP: Tool = Tool { program: "ip", package: "iproute2" };
const NFT: Tool = Tool { program: "nft", package: "nftables" };

/// Runs a batch of `ip` commands, one a line, up to the first that fails.
pub(super) fn ip(namespace: &Namespace, batch: &str) -> Result<()> {
    IP.feed(namespace, &["-batch", "-"], batch).map(drop)
}

/// Runs `nft` commands, one a line, as one transaction: all of them or none.
pub(super) fn nft(namespace: &Namespace, transaction: &str) -> Result<()> {
    NFT.feed(namespace, &["-f", "-"], transaction).map(drop)
}

/// Asks `nft` and returns its JSON.
pub(super) fn ask_nft(namespace: &Namespace, query: &[&str]) -> Result<Vec<u8>> {
    // With -j, nft would read a query on standard input as JSON, and silently ignore it.
    NFT.feed(namespace, &[&["-j"], query].concat(), "")
}

impl Tool {
    /// Runs the program with `input` on its standard input and returns its standard output.
    fn feed(&self, namespace: &Namespace, arguments: &[&str], input: &str) -> Result<Vec<u8>> {
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound => {
                LabError::Missing { program: self.program.to_owned(), package: self.package }
            }
            _ => LabError::Run {
                program: self.program.to_owned(),
                namespace: namespace.role(),
                source,
            },
        };
        // On a thread of its own, in the namespace, which dies with its descriptors.
        let output = namespace.run(|| run(self.program, arguments, input))?.map_err(failed)?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let words = String::from_utf8_lossy(&output.stderr);
        Err(LabError::Tool {
            program: self.program,
            namespace: namespace.role(),
            status: output.status,
            message: words.split_whitespace().collect::<Vec<_>>().join(" "),
        })
    }
}

/// Runs a program to its end. Changes the calling thread permanently.
fn run(program: &str, arguments: &[&str], input: &str) -> io::Result<Output> {
    keep_no_descriptors()?;
    let mut command = Command::new(program);
    command.args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that stops reading reports why on its standard error, which the caller checks.
        let _ = stdin.write_all(input.as_bytes());
    }
    child.wait_with_output()
}

/// Gives the calling thread a table of descriptors of its own, with the standard streams alone.
///
/// Between its start and its exec, a child holds a copy of all descriptors of the thread that
/// started it. A socket that another thread closes meanwhile would stay open, and its port in use.
fn keep_no_descriptors() -> io::Result<()> {
    const AFTER_STANDARD_STREAMS: libc::c_uint = 3;
    // SAFETY: the call touches no memory. The descriptors go from this thread's new table only, and
    // nothing that runs on it afterwards uses one from before.
    let status = unsafe {
        libc::syscall(
            libc::SYS_close_range,
            AFTER_STANDARD_STREAMS,
            libc::c_uint::MAX,
            libc::CLOSE_RANGE_UNSHARE,
        )
    };
    if status == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
