//! Where a value comes from.

use std::fmt;

use crate::{decode::At, position::Position};

/// Where values come from; each overrides those after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// A flag.
    Flag,
    /// A variable of the environment.
    Environment,
    /// The file: the section of the agent, or the target itself.
    File,
    /// The target's group.
    Group,
    /// The defaults of the file.
    Defaults,
    /// What holds if nobody says anything.
    BuiltIn,
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Flag => "flag",
            Self::Environment => "environment",
            Self::File => "file",
            Self::Group => "group",
            Self::Defaults => "defaults",
            Self::BuiltIn => "built-in",
        })
    }
}

/// A value with its origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found<T> {
    /// The value.
    pub value: T,
    /// Where it comes from.
    pub layer: Layer,
    /// Where it is written, if it comes from the file.
    pub position: Position,
}

impl<T> Found<T> {
    pub(crate) const fn built_in(value: T) -> Self {
        Self { value, layer: Layer::BuiltIn, position: Position::NONE }
    }

    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> Found<U> {
        Found { value: change(self.value), layer: self.layer, position: self.position }
    }
}

/// The first value of the layers, else the built-in one.
pub(crate) fn first<'a, T: Clone + 'a>(
    layers: impl IntoIterator<Item = (Layer, Option<&'a At<T>>)>,
    built_in: Option<T>,
) -> Option<Found<T>> {
    let written = layers.into_iter().find_map(|(layer, at)| {
        at.map(|at| Found { value: at.value.clone(), layer, position: at.position })
    });
    written.or_else(|| built_in.map(Found::built_in))
}
