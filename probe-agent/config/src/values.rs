//! Values of settings that parse themselves. Each error says what to write instead.

mod interface;
mod mark;
mod port_range;
mod shortest;

pub use self::{
    interface::{InterfaceError, InterfaceName},
    mark::{Mark, MarkError},
    port_range::{PortRange, PortRangeError},
    shortest::SHORTEST_TIME,
};
