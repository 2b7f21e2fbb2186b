//! Loads the object's maps, and gets at them.

use aya::{
    Ebpf, EbpfLoader, Pod,
    maps::{Map, MapError},
};
use probe_agent_common::{Counter, KernelLayout};

use crate::{
    error::TraceError,
    mapped_array::{Access, MappedArray},
};

/// The programs, as `cargo xtask build` made them.
static OBJECT: &[u8] = aya::include_bytes_aligned!(env!("PROBE_AGENT_EBPF_OBJECT"));

/// A loader. Making one takes some 15 ms: aya reads and copies all types of the kernel, for relocations that
/// the programs do not have. They are dropped at once.
pub(super) fn loader() -> EbpfLoader<'static> {
    let mut loader = EbpfLoader::new();
    loader.btf(None);
    loader
}

/// Makes the object's maps; its programs are loaded one by one afterwards.
pub(super) fn load<'a>(
    mut loader: EbpfLoader<'a>,
    slots: u32,
    cpus: u32,
    layout: &'a KernelLayout,
) -> Result<Ebpf, TraceError> {
    loader
        .override_global("LAYOUT", layout, true)
        .map_max_entries("SLOTS", slots)
        .map_max_entries("LAST_LOSS", slots)
        .map_max_entries("COUNTERS", cpus * Counter::COUNT)
        .load(OBJECT)
        .map_err(|e| TraceError::from_aya(&e))
}

/// Maps the array of a name, which has so many elements, into this process.
pub(super) fn mapped<T: Pod>(
    programs: &Ebpf,
    name: &str,
    elements: u32,
    access: Access,
) -> Result<MappedArray<T>, TraceError> {
    match programs.map(name) {
        Some(Map::Array(map)) => MappedArray::map(map.fd(), elements, access)
            .map_err(|e| TraceError::Load(format!("mapping the array {name}: {e}"))),
        _ => Err(TraceError::Load(format!("the object has no array {name}"))),
    }
}

/// Takes a map out of the object, as the type that it is declared with.
pub(super) fn take<M: TryFrom<Map, Error = MapError>>(
    programs: &mut Ebpf,
    name: &str,
) -> Result<M, TraceError> {
    programs
        .take_map(name)
        .ok_or_else(|| TraceError::Load(format!("the object has no map {name}")))?
        .try_into()
        .map_err(|e: MapError| TraceError::from_aya(&e))
}
