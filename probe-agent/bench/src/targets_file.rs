//! The file of targets that the measured program reads.

use std::{fmt::Write as _, fs, net::Ipv4Addr, path::PathBuf};

use anyhow::Result;

/// A file of targets. Dropping it removes it.
pub(crate) struct TargetsFile(PathBuf);

impl TargetsFile {
    /// So many addresses of this host, each with the same port.
    pub(crate) fn write(targets: u32, port: u16) -> Result<Self> {
        let path = std::env::temp_dir().join(format!("probe-agent-bench-{}", std::process::id()));
        fs::write(&path, addresses(targets, port))?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> std::borrow::Cow<'_, str> {
        self.0.to_string_lossy()
    }
}

impl Drop for TargetsFile {
    fn drop(&mut self) {
        // A leftover file in the temporary directory does no harm.
        let _ = fs::remove_file(&self.0);
    }
}

/// All of 127.0.0.0/8 is this host.
fn addresses(targets: u32, port: u16) -> String {
    let first = u32::from(Ipv4Addr::new(127, 1, 0, 1));
    let mut text = String::new();
    for target in 0..targets {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}:{port}", Ipv4Addr::from(first + target));
    }
    text
}
