//! Which of the shared types aya may copy byte by byte (feature `user`).

use crate::{EventRecord, FlowKey, KernelLayout, PortEntry, SlotRecord};

// SAFETY: `repr(C)`, only fixed-width integers and arrays of them, explicit padding (the size
// assertions beside each type would fail for hidden padding); every bit pattern is a value.
unsafe impl aya::Pod for FlowKey {}
// SAFETY: as for `FlowKey`.
unsafe impl aya::Pod for EventRecord {}
// SAFETY: as for `FlowKey`.
unsafe impl aya::Pod for SlotRecord {}
// SAFETY: as for `FlowKey`.
unsafe impl aya::Pod for PortEntry {}
// SAFETY: as for `FlowKey`.
unsafe impl aya::Pod for KernelLayout {}
