//! Runs `ip` and `nft` inside a namespace.

use std::io::{self, Write};
use std::process::Stdio;

use super::{LabError, Namespace, Result};

/// A program the lab cannot do without.
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
        let mut command = namespace.command(self.program)?;
        command.args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(failed)?;
        if let Some(mut stdin) = child.stdin.take() {
            // A program that stops reading says why on its standard error, which is judged below.
            let _ = stdin.write_all(input.as_bytes());
        }
        let output = child.wait_with_output().map_err(failed)?;
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
