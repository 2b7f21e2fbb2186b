//! Half-open TCP probes, explained by the kernel.
