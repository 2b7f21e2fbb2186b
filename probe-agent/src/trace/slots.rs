//! The `SLOTS` array, mapped into this process: what the kernel noted is read without a syscall.

use std::{io, num::NonZeroUsize, os::fd::AsFd, ptr::NonNull};

use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};
use probe_agent_common::SlotRecord;

/// A read-only mapping of the records of all slots.
#[derive(Debug)]
pub struct SlotRecords {
    base: NonNull<SlotRecord>,
    slots: u32,
    bytes: usize,
}

// SAFETY: the mapping is read-only here and lives until drop; reads are volatile copies.
unsafe impl Send for SlotRecords {}
// SAFETY: as for `Send`: nothing is written through it.
unsafe impl Sync for SlotRecords {}

impl SlotRecords {
    /// Maps the array behind `map`, which must hold `slots` elements.
    ///
    /// # Errors
    /// If the kernel refuses the mapping.
    pub fn map(map: impl AsFd, slots: u32) -> io::Result<Self> {
        let bytes = NonZeroUsize::new(slots as usize * size_of::<SlotRecord>())
            .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        // SAFETY: a fresh mapping at an address of the kernel's choice, of a map that is at least
        // that long: the kernel checks the length (`array_map_mmap`).
        let base =
            unsafe { mmap(None, bytes, ProtFlags::PROT_READ, MapFlags::MAP_SHARED, map, 0)? };
        Ok(Self { base: base.cast(), slots, bytes: bytes.get() })
    }

    /// How many slots there are.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.slots
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots == 0
    }

    /// A copy of a slot's record; `None` for a slot that there is not.
    #[must_use]
    pub fn read(&self, slot: u32) -> Option<SlotRecord> {
        if slot >= self.slots {
            return None;
        }
        // SAFETY: within the mapping (checked above) and aligned: elements are 64 bytes long and
        // the mapping starts at a page. The hooks do not run for this slot's socket while its
        // worker reads (see `SlotRecord`); were another thread to read, it would get a torn copy
        // of integers, which is no invalid value.
        Some(unsafe { self.base.add(slot as usize).read_volatile() })
    }
}

impl Drop for SlotRecords {
    fn drop(&mut self) {
        // SAFETY: the mapping that `map` made; no reference into it outlives `self`. Unmapping
        // cannot fail for a mapping that exists.
        let _ = unsafe { munmap(self.base.cast(), self.bytes) };
    }
}
