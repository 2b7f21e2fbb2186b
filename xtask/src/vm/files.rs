//! Programs of this host, with the libraries that they are linked to.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command;
use crate::failure::{Failure, Result};

/// The path of a program that the set-up has made sure of.
pub(super) fn find(program: &str) -> Result<PathBuf> {
    command::find(program).ok_or_else(|| Failure::new(format!("{program} is not on this system")))
}

/// The last component of a path.
pub(super) fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The shared libraries of a program, by the paths that its loader opens; none if it is static.
pub(super) fn libraries(program: &Path) -> Vec<String> {
    // It fails for a static program.
    let listed = command::capture(Command::new("ldd").arg(program)).unwrap_or_default();
    paths(&listed).map(str::to_owned).collect()
}

/// The absolute paths in what `ldd` prints.
fn paths(listed: &str) -> impl Iterator<Item = &str> {
    listed.lines().filter_map(|line| line.split_whitespace().find(|word| word.starts_with('/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ldd_lists_libraries_and_the_loader() {
        let listed = "\tlinux-vdso.so.1 (0x00007ffd)\n\
                      \tlibnftables.so.1 => /lib/x86_64-linux-gnu/libnftables.so.1 (0x00007f7f)\n\
                      \t/lib64/ld-linux-x86-64.so.2 (0x00007f80)\n";
        let expected = ["/lib/x86_64-linux-gnu/libnftables.so.1", "/lib64/ld-linux-x86-64.so.2"];
        assert_eq!(paths(listed).collect::<Vec<_>>(), expected);
    }
}
