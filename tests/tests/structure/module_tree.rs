//! The modules of a crate, parsed: which items each one has, and which names it imports.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use syn::{Attribute, ImplItem, Item, UseTree, ext::IdentExt};

/// A module's path from the root of its crate; the root itself is empty.
pub(crate) type ModulePath = Vec<String>;

/// A module without its test code.
pub(crate) struct Module {
    pub(crate) file: PathBuf,
    pub(crate) items: Vec<Item>,
    /// Names that `use` brings in, each with the path it stands for.
    pub(crate) imports: BTreeMap<String, Vec<String>>,
    /// Paths that end in `*`.
    pub(crate) globs: Vec<Vec<String>>,
    /// Names that are defined here.
    pub(crate) defined: BTreeSet<String>,
}

pub(crate) type Modules = BTreeMap<ModulePath, Module>;

/// Reads all modules that `root` (a `lib.rs` or `main.rs`) declares.
pub(crate) fn read(root: &Path) -> Modules {
    let mut modules = Modules::new();
    let folder = root.parent().expect("a source file lies in a directory");
    add_file(&mut modules, Vec::new(), root, folder);
    modules
}

/// `folder` holds the files of the child modules.
fn add_file(modules: &mut Modules, path: ModulePath, file: &Path, folder: &Path) {
    let text = fs::read_to_string(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let parsed = syn::parse_file(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    add(modules, path, file, folder, parsed.items);
}

fn add(modules: &mut Modules, path: ModulePath, file: &Path, folder: &Path, items: Vec<Item>) {
    let items: Vec<Item> = items.into_iter().filter(|item| !is_test(attributes(item))).collect();
    let mut module = Module {
        file: file.to_owned(),
        items: Vec::new(),
        imports: BTreeMap::new(),
        globs: Vec::new(),
        defined: items.iter().filter_map(name).collect(),
    };
    for item in items {
        match item {
            Item::Mod(child) => {
                let name = child.ident.unraw().to_string();
                let child_path = [path.as_slice(), std::slice::from_ref(&name)].concat();
                let child_folder = folder.join(&name);
                match child.content {
                    Some((_, items)) => add(modules, child_path, file, &child_folder, items),
                    None => {
                        let child_file = folder.join(format!("{name}.rs"));
                        add_file(modules, child_path, &child_file, &child_folder);
                    }
                }
            }
            Item::Use(import) if import.leading_colon.is_none() => {
                for (path, alias) in leaves(&import.tree) {
                    match alias {
                        Some(alias) => drop(module.imports.insert(alias, path)),
                        None => module.globs.push(path),
                    }
                }
                module.items.push(Item::Use(import));
            }
            item => module.items.push(item),
        }
    }
    modules.insert(path, module);
}

/// The paths of a use tree, each with the name that it brings in; `None` for `*`.
pub(crate) fn leaves(tree: &UseTree) -> Vec<(Vec<String>, Option<String>)> {
    fn walk(tree: &UseTree, prefix: &[String], out: &mut Vec<(Vec<String>, Option<String>)>) {
        let joined = |ident: &syn::Ident| [prefix, &[ident.unraw().to_string()]].concat();
        match tree {
            UseTree::Path(path) => walk(&path.tree, &joined(&path.ident), out),
            UseTree::Group(group) => group.items.iter().for_each(|tree| walk(tree, prefix, out)),
            UseTree::Glob(_) => out.push((prefix.to_vec(), None)),
            // `a::{self}` is `a`.
            UseTree::Name(name) if name.ident == "self" && !prefix.is_empty() => {
                out.push((prefix.to_vec(), prefix.last().cloned()));
            }
            UseTree::Name(name) => {
                out.push((joined(&name.ident), Some(name.ident.unraw().to_string())));
            }
            UseTree::Rename(rename) if rename.ident == "self" && !prefix.is_empty() => {
                out.push((prefix.to_vec(), Some(rename.rename.unraw().to_string())));
            }
            UseTree::Rename(rename) => {
                out.push((joined(&rename.ident), Some(rename.rename.unraw().to_string())));
            }
        }
    }
    let mut out = Vec::new();
    walk(tree, &[], &mut out);
    out
}

/// Whether something is compiled for tests only.
pub(crate) fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"))
    })
}

fn name(item: &Item) -> Option<String> {
    let ident = match item {
        Item::Const(i) => &i.ident,
        Item::Enum(i) => &i.ident,
        Item::Fn(i) => &i.sig.ident,
        Item::Macro(i) => i.ident.as_ref()?,
        Item::Static(i) => &i.ident,
        Item::Struct(i) => &i.ident,
        Item::Trait(i) => &i.ident,
        Item::Type(i) => &i.ident,
        Item::Union(i) => &i.ident,
        // A module is looked up by its path, and an implementation has no name.
        _ => return None,
    };
    Some(ident.unraw().to_string())
}

/// The attributes of an item.
pub(crate) fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(i) => &i.attrs,
        Item::Enum(i) => &i.attrs,
        Item::Fn(i) => &i.attrs,
        Item::Impl(i) => &i.attrs,
        Item::Macro(i) => &i.attrs,
        Item::Mod(i) => &i.attrs,
        Item::Static(i) => &i.attrs,
        Item::Struct(i) => &i.attrs,
        Item::Trait(i) => &i.attrs,
        Item::Type(i) => &i.attrs,
        Item::Union(i) => &i.attrs,
        Item::Use(i) => &i.attrs,
        _ => &[],
    }
}

/// The attributes of an item of an implementation.
pub(crate) fn member_attributes(member: &ImplItem) -> &[Attribute] {
    match member {
        ImplItem::Const(i) => &i.attrs,
        ImplItem::Fn(i) => &i.attrs,
        ImplItem::Type(i) => &i.attrs,
        _ => &[],
    }
}
