//! The names of this kernel's reasons, for RSTs and for dropped packets.

use std::{collections::HashMap, sync::Arc};

use nix::net::if_::if_indextoname;

use model::{
    event::{ReasonNames, RstReason},
    packet_drop::{DropReason, InterfaceName},
};

use crate::{btf::KernelTypes, layout};

/// The names by their numbers.
#[derive(Clone, Debug, Default)]
pub struct Reasons(Arc<Names>);

#[derive(Debug, Default)]
struct Names {
    rst: HashMap<i32, &'static str>,
    drop: HashMap<i32, &'static str>,
}

impl Reasons {
    pub(crate) fn of(types: &KernelTypes) -> Self {
        Self(Arc::new(Names {
            rst: leaked(layout::rst_reasons(types)),
            drop: leaked(layout::drop_reasons(types)),
        }))
    }
}

/// Some two hundred names, once per run: leaking them makes every event a plain value.
fn leaked(names: HashMap<i32, String>) -> HashMap<i32, &'static str> {
    let leak = |name: String| -> &'static str { Box::leak(name.into()) };
    names.into_iter().map(|(number, name)| (number, leak(name))).collect()
}

impl ReasonNames for Reasons {
    fn rst(&self, number: i32) -> RstReason {
        self.0.rst.get(&number).map_or(RstReason::NONE, |name| RstReason(name))
    }

    fn drop(&self, number: i32) -> DropReason {
        DropReason(self.0.drop.get(&number).copied().unwrap_or("a reason without a name"))
    }

    /// The calling thread must be in the agent's network namespace.
    fn interface(&self, index: u32) -> InterfaceName {
        let name = if_indextoname(index).ok();
        let name = name.as_deref().and_then(|name| name.to_str().ok());
        name.and_then(|name| InterfaceName::from(name).ok()).unwrap_or_default()
    }
}
