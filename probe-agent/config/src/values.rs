//! Values of settings that parse themselves. Each error says what to write instead.

mod address;
mod amount;
mod choice;
mod count;
mod interface;
mod label;
mod mark;
mod period;
mod port_list;
mod port_range;
mod schemas;
mod shortest;
mod target_address;
mod text;

pub use self::{
    address::{ListenAddress, ListenAddressError, SourceAddress, SourceAddressError},
    amount::{ByteSize, ByteSizeError, Share, ShareError},
    choice::{ChoiceError, Compression, Expectation, Protocol, Switch},
    count::{Count, CountError},
    interface::{InterfaceError, InterfaceName},
    label::{LabelName, LabelNameError, LabelValue, LabelValueError},
    mark::{Mark, MarkError},
    period::{Interval, MaybeZero, Period, PeriodError, Refresh},
    port_list::{PortList, PortListError},
    port_range::{PortRange, PortRangeError},
    shortest::SHORTEST_TIME,
    target_address::TargetAddress,
    text::{FilePath, FilePathError, HttpUrl, HttpUrlError, PathPattern, PathPatternError},
};

#[cfg(test)]
mod tests;
