//! Sibling modules that use each other, directly or round a longer way.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    module_tree::Modules,
    uses::{self, Use},
};

/// Modules each of which can be reached from each other one, all children of one parent.
pub(crate) struct Cycle {
    /// Their paths, as `parent::child`.
    pub(crate) modules: Vec<String>,
    /// A line for each use that takes part: file, line, and which module uses which.
    pub(crate) uses: Vec<String>,
}

/// The uses of one level of the tree: by child that uses and child that is used.
type Level<'a> = BTreeMap<(&'a str, &'a str), Vec<&'a Use>>;

/// All cycles of a crate, at every level of its tree.
pub(crate) fn of(modules: &Modules) -> Vec<Cycle> {
    let uses = uses::all(modules);
    let mut levels: BTreeMap<&[String], Level<'_>> = BTreeMap::new();
    for used in &uses {
        let common = used.from.iter().zip(&used.to).take_while(|(a, b)| a == b).count();
        // Where one lies within the other there is no such pair: a parent may use its child.
        if let (Some(from), Some(to)) = (used.from.get(common), used.to.get(common)) {
            let level = levels.entry(&used.from[..common]).or_default();
            level.entry((from, to)).or_default().push(used);
        }
    }
    levels.iter().flat_map(|(parent, level)| cycles(parent, level, modules)).collect()
}

fn cycles(parent: &[String], level: &Level<'_>, modules: &Modules) -> Vec<Cycle> {
    let mut seen = BTreeSet::new();
    let mut cycles = Vec::new();
    for (child, _) in level.keys() {
        let group: BTreeSet<&str> = reached(level, child)
            .into_iter()
            .filter(|other| reached(level, other).contains(child))
            .collect();
        if group.is_empty() || !seen.insert(group.clone()) {
            continue;
        }
        let path = |child: &str| [parent, &[child.to_owned()]].concat().join("::");
        let inside = level.iter().filter(|((a, b), _)| group.contains(a) && group.contains(b));
        let describe = |((from, to), uses): (&(&str, &str), &Vec<&Use>)| {
            let places: BTreeSet<_> = uses.iter().map(|used| place(used, modules)).collect();
            let line = |(file, line)| format!("{file}:{line}: {} uses {}", path(from), path(to));
            places.into_iter().map(line).collect::<Vec<_>>()
        };
        cycles.push(Cycle {
            modules: group.iter().map(|child| path(child)).collect(),
            uses: inside.flat_map(describe).collect(),
        });
    }
    cycles
}

/// Everything that `start` uses, directly or not.
fn reached<'a>(level: &Level<'a>, start: &str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut next = vec![start];
    while let Some(child) = next.pop() {
        for (_, to) in level.keys().filter(|(from, _)| *from == child) {
            if reached.insert(*to) {
                next.push(to);
            }
        }
    }
    reached
}

/// File and line.
fn place(used: &Use, modules: &Modules) -> (String, usize) {
    (modules[&used.from].file.display().to_string(), used.line)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::of;
    use crate::module_tree::read;

    /// The modules of each cycle in a crate of one file.
    fn cycles(source: &str) -> Vec<Vec<String>> {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("lib.rs");
        fs::write(&file, source).expect("a file in it");
        of(&read(&file)).into_iter().map(|cycle| cycle.modules).collect()
    }

    #[test]
    fn a_longer_cycle_is_found_in_nested_trees_inline_paths_and_macros() {
        let source = "mod a { use crate::{b::{self, B}, Other}; }
            mod b { pub struct B; fn f() { super::c::g::<u8>() } }
            mod c { pub fn g<T>() { println!(\"{}\", crate::a::h()) } }
            mod d { use crate::a; }";
        assert_eq!(cycles(source), [["a", "b", "c"]]);
    }

    #[test]
    fn a_cycle_is_found_deep_in_the_tree() {
        let source =
            "mod top { mod a { use super::b::B; } pub mod b { mod c { use super::super::a; } } }";
        assert_eq!(cycles(source), [["top::a", "top::b"]]);
    }

    #[test]
    fn a_reexport_hides_no_cycle() {
        let source = "mod a { pub struct A; use crate::B; }
            mod b { pub struct B; use super::*; fn f() { super::A; } }
            pub use self::{a::A, b::B};";
        assert_eq!(cycles(source), [["a", "b"]]);
    }

    #[test]
    fn parents_and_tests_may_use_what_they_like() {
        let source = "mod a { pub struct A; use super::top; mod inner { use super::A; }
                #[cfg(test)] mod tests { use crate::b::B; } #[cfg(test)] use crate::b::C; }
            mod b { use crate::a::A; use std::a::b; }
            pub fn top() { a::inner::f() }";
        assert_eq!(cycles(source), [[""; 0]; 0]);
    }
}
