//! Names and ports of the targets that one address stands for.

use crate::values::TargetAddress;

/// Name and port of each: one if the address has a port, else one for each of `ports`.
pub(crate) fn names(
    name: Option<&str>,
    address: &TargetAddress,
    ports: Option<&[u16]>,
) -> Vec<(String, u16)> {
    if let Some(port) = address.port() {
        return vec![(name.unwrap_or(address.text()).to_owned(), port)];
    }
    match (name, ports.unwrap_or_default()) {
        // The name says enough.
        (Some(name), [port]) => vec![(name.to_owned(), *port)],
        (_, ports) => {
            let name = name.unwrap_or(address.text());
            ports.iter().map(|port| (format!("{name}:{port}"), *port)).collect()
        }
    }
}
