//! Which module uses which: every path in a crate's source, resolved to the module that defines
//! what it names. A re-export is followed to its origin, because it would hide a cycle otherwise.

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::{
    ImplItem, Item, ItemUse, Macro,
    ext::IdentExt,
    visit::{self, Visit},
};

use crate::module_tree::{self, ModulePath, Modules, leaves};

/// One module names something of another.
pub(crate) struct Use {
    pub(crate) from: ModulePath,
    pub(crate) to: ModulePath,
    pub(crate) line: usize,
}

/// All uses in a crate.
pub(crate) fn all(modules: &Modules) -> Vec<Use> {
    let mut uses = Vec::new();
    for (path, module) in modules {
        let mut visitor = Visitor { modules, from: path, uses: &mut uses };
        module.items.iter().for_each(|item| visitor.visit_item(item));
    }
    uses
}

struct Visitor<'a> {
    modules: &'a Modules,
    from: &'a ModulePath,
    uses: &'a mut Vec<Use>,
}

impl Visitor<'_> {
    fn note(&mut self, path: &[String], span: Span) {
        if let Some(found) = resolve(self.modules, self.from, path, 0) {
            let (from, line) = (self.from.clone(), span.start().line);
            self.uses.push(Use { from, to: found.module, line });
        }
    }

    /// Macros are not parsed: whatever looks like a path in one is taken for a path.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let (mut colons, mut start) = (0, Span::call_site());
        for token in tokens {
            match token {
                TokenTree::Punct(punct) if punct.as_char() == ':' => {
                    colons += 1;
                    continue;
                }
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.note_longer_than_a_name(&path, start);
                        path.clear();
                        start = ident.span();
                    }
                    path.push(ident.unraw().to_string());
                }
                other => {
                    self.note_longer_than_a_name(&path, start);
                    path.clear();
                    if let TokenTree::Group(group) = other {
                        self.tokens(group.stream());
                    }
                }
            }
            colons = 0;
        }
        self.note_longer_than_a_name(&path, start);
    }

    fn note_longer_than_a_name(&mut self, path: &[String], span: Span) {
        if path.len() > 1 {
            self.note(path, span);
        }
    }
}

impl<'ast> Visit<'ast> for Visitor<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if !module_tree::is_test(module_tree::attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, member: &'ast ImplItem) {
        if !module_tree::is_test(module_tree::member_attributes(member)) {
            visit::visit_impl_item(self, member);
        }
    }

    fn visit_item_use(&mut self, import: &'ast ItemUse) {
        if import.leading_colon.is_none() {
            for (path, _) in leaves(&import.tree) {
                self.note(&path, import.use_token.span);
            }
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        // A single name is local, of the prelude, or imported by a `use`.
        if path.leading_colon.is_none() && path.segments.len() > 1 {
            let names: Vec<String> =
                path.segments.iter().map(|segment| segment.ident.unraw().to_string()).collect();
            self.note(&names, path.segments[0].ident.span());
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        self.visit_path(&call.path);
        self.tokens(call.tokens.clone());
    }
}

/// What a path names.
struct Found {
    /// The module itself, or the one that defines the item.
    module: ModulePath,
    is_module: bool,
}

/// Longer chains of re-exports than this are circular.
const CHAIN: usize = 32;

/// `None` for a path that leads out of the crate.
fn resolve(modules: &Modules, from: &ModulePath, path: &[String], chain: usize) -> Option<Found> {
    let mut base = from.clone();
    let mut rest = path;
    let mut anchored = false;
    while let [first, others @ ..] = rest {
        match first.as_str() {
            "crate" => base.clear(),
            "self" => {}
            "super" => drop(base.pop()),
            _ => break,
        }
        (anchored, rest) = (true, others);
    }
    let found = look_up(modules, &base, rest, chain);
    // What a macro defines is not seen by this test; it belongs to the module that is named.
    found.or_else(|| anchored.then_some(Found { module: base, is_module: false }))
}

fn look_up(modules: &Modules, base: &ModulePath, path: &[String], chain: usize) -> Option<Found> {
    let module = modules.get(base)?;
    let [first, rest @ ..] = path else {
        return Some(Found { module: base.clone(), is_module: true });
    };
    let child = [base.as_slice(), std::slice::from_ref(first)].concat();
    if modules.contains_key(&child) {
        let found = look_up(modules, &child, rest, chain);
        return Some(found.unwrap_or(Found { module: child, is_module: false }));
    }
    if module.defined.contains(first) {
        return Some(Found { module: base.clone(), is_module: false });
    }
    if chain == CHAIN {
        return None;
    }
    if let Some(import) = module.imports.get(first) {
        // An import of a crate under its own name would look itself up again.
        let is_itself = import.first() == Some(first);
        let origin = if is_itself { None } else { resolve(modules, base, import, chain + 1) }?;
        return if origin.is_module {
            look_up(modules, &origin.module, rest, chain + 1).or(Some(origin))
        } else {
            Some(origin)
        };
    }
    module.globs.iter().find_map(|glob| {
        let origin = resolve(modules, base, glob, chain + 1).filter(|found| found.is_module)?;
        (origin.module != *base).then(|| look_up(modules, &origin.module, path, chain + 1))?
    })
}
