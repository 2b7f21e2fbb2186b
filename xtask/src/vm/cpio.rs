//! An archive for the kernel to unpack into its first file system (`newc`, see the kernel's
//! Documentation/driver-api/early-userspace/buffer-format.rst). Everything in it belongs to root.

/// The kinds of files in it, as in `st_mode`.
const DIRECTORY: u32 = 0o040_000;
const FILE: u32 = 0o100_000;
const LINK: u32 = 0o120_000;

/// An archive that grows.
#[derive(Default)]
pub(super) struct Archive {
    bytes: Vec<u8>,
    entries: u32,
}

impl Archive {
    /// Adds a directory; those above it come first.
    pub(super) fn directory(&mut self, path: &str, mode: u32) {
        self.add(path, DIRECTORY | mode, &[]);
    }

    /// Adds a file that root may write and everybody may execute.
    pub(super) fn file(&mut self, path: &str, content: &[u8]) {
        self.add(path, FILE | 0o755, content);
    }

    /// Adds a symbolic link.
    pub(super) fn link(&mut self, path: &str, target: &str) {
        self.add(path, LINK | 0o777, target.as_bytes());
    }

    /// The whole archive.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.add("TRAILER!!!", 0, &[]);
        self.bytes
    }

    fn add(&mut self, path: &str, mode: u32, content: &[u8]) {
        self.entries += 1;
        let length = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX);
        let (size, name) = (length(content.len()), length(path.len() + 1));
        // Inode, mode, owner, group, links, time, size, four device numbers, length of the name, checksum.
        let header = [self.entries, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, name, 0];
        self.bytes.extend(b"070701");
        for number in header {
            self.bytes.extend(format!("{number:08x}").bytes());
        }
        self.bytes.extend(path.bytes());
        self.bytes.push(0);
        self.align();
        self.bytes.extend(content);
        self.align();
    }

    fn align(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_a_header_a_name_and_a_content_each_padded() {
        let mut archive = Archive::default();
        archive.file("ab", b"xyz");
        let bytes = archive.finish();
        let first = "070701\
            00000001000081ed00000000000000000000000100000000\
            0000000300000000000000000000000000000000\
            0000000300000000ab\0\0\0\0xyz\0";
        assert_eq!(String::from_utf8_lossy(&bytes[..first.len()]), first);
        assert_eq!(bytes.len() % 4, 0);
        assert!(bytes.windows(11).any(|window| window == b"TRAILER!!!\0"));
    }
}
