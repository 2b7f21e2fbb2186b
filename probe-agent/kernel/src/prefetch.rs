//! Asks the processor for memory before it is needed.

/// Asks for a value, so that a read some microseconds later need not wait for it. The end of a value that
/// begins within a line may be left out. Changes nothing but that time, and does nothing on processors that
/// it does not know.
#[inline(always)]
pub fn prefetch<T>(value: *const T) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        /// The unit in which memory is fetched, in bytes.
        const LINE: usize = 64;
        for at in (0..size_of::<T>()).step_by(LINE) {
            // SAFETY: a hint, which reads nothing and is ignored where no memory is.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(value.cast::<i8>().wrapping_byte_add(at)) };
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = value;
}
