//! An array of the programs, mapped into this process: read and written without a system call.
//!
//! This is not only for speed: while `bpf()` looks up or updates an element, no tracing program runs on
//! that CPU, and its events are lost without a count.

use std::{
    io,
    num::NonZeroUsize,
    os::fd::AsFd,
    ptr::NonNull,
    sync::atomic::{AtomicU64, Ordering},
};

use aya::Pod;
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};

use crate::prefetch::prefetch;

/// What this process may do with the elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Read them.
    Read,
    /// Read and write them.
    Write,
}

/// A mapping of all elements of an array.
#[derive(Debug)]
pub struct MappedArray<T> {
    base: NonNull<T>,
    elements: u32,
    bytes: usize,
    access: Access,
}

// SAFETY: the mapping lives until drop, wherever that is; elements are plain data.
unsafe impl<T: Pod> Send for MappedArray<T> {}
// SAFETY: reads and writes are volatile copies. Where a thread and another one, or a hook, use one element
// at the same time, the reader gets a torn copy of integers, which is no invalid value.
unsafe impl<T: Pod> Sync for MappedArray<T> {}

impl<T: Pod> MappedArray<T> {
    /// Maps the array behind `map`, which must hold `elements` elements of this type.
    ///
    /// # Errors
    /// If the kernel refuses the mapping.
    pub(crate) fn map(map: impl AsFd, elements: u32, access: Access) -> io::Result<Self> {
        // The kernel pads elements to 8 bytes (`array_map_alloc`).
        const { assert!(size_of::<T>().is_multiple_of(8)) };
        let bytes = NonZeroUsize::new(elements as usize * size_of::<T>())
            .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        let protection = match access {
            Access::Read => ProtFlags::PROT_READ,
            Access::Write => ProtFlags::PROT_READ | ProtFlags::PROT_WRITE,
        };
        // SAFETY: a fresh mapping at an address of the kernel's choice, of a map that is at least
        // that long: the kernel checks the length (`array_map_mmap`).
        let base = unsafe { mmap(None, bytes, protection, MapFlags::MAP_SHARED, map, 0)? };
        Ok(Self { base: base.cast(), elements, bytes: bytes.get(), access })
    }

    /// A copy of an element; `None` where there is none.
    #[must_use]
    pub fn read(&self, index: u32) -> Option<T> {
        if index >= self.elements {
            return None;
        }
        // SAFETY: within the mapping (checked above) and aligned: it starts at a page, and the size
        // of an element is a multiple of its alignment. Every bit pattern is a `T`.
        Some(unsafe { self.base.add(index as usize).read_volatile() })
    }

    /// Asks the processor for an element that will soon be read or written, here or by the hooks.
    pub fn look_ahead(&self, index: u32) {
        if index < self.elements {
            prefetch(self.base.as_ptr().wrapping_add(index as usize));
        }
    }

    /// Writes an element; does nothing where there is none, or none may be written.
    pub(crate) fn write(&self, index: u32, value: T) {
        if index < self.elements && self.access == Access::Write {
            // SAFETY: as for `read`, and the mapping may be written to.
            unsafe { self.base.add(index as usize).write_volatile(value) };
        }
    }
}

impl MappedArray<u64> {
    /// Sets or clears bits of an element, atomically; does nothing where
    /// there is none, or none may be written.
    pub(crate) fn change_bits(&self, index: u32, bits: u64, set: bool) {
        if index >= self.elements || self.access != Access::Write {
            return;
        }
        // SAFETY: within the mapping, aligned, and it may be written to; every thread of this process
        // that writes does so here, and the hooks only read.
        let word = unsafe { AtomicU64::from_ptr(self.base.add(index as usize).as_ptr()) };
        // Release: who sees the bit also sees what was written before it was set.
        if set {
            word.fetch_or(bits, Ordering::Release);
        } else {
            word.fetch_and(!bits, Ordering::Release);
        }
    }

    /// Raises an element to a value, unless it is higher; does nothing where there is none, or none may be
    /// written.
    pub(crate) fn raise(&self, index: u32, value: u64) {
        if index < self.elements && self.access == Access::Write {
            // SAFETY: as for `change_bits`; a hook may write a whole element at the same time.
            let word = unsafe { AtomicU64::from_ptr(self.base.add(index as usize).as_ptr()) };
            word.fetch_max(value, Ordering::Release);
        }
    }
}

impl<T> Drop for MappedArray<T> {
    fn drop(&mut self) {
        // SAFETY: the mapping that `map` made; no reference into it outlives `self`. Unmapping
        // cannot fail for a mapping that exists.
        let _ = unsafe { munmap(self.base.cast(), self.bytes) };
    }
}
