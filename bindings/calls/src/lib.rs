//! What can be asked of a phone: every public method of the features of `Companion`, read from the sources, with its
//! documentation. The exported calls and both packages are written from this one list, so that a method added in Rust
//! is everywhere with the next build.
//!
//! Relies on what every feature keeps to: an `impl Feature<'_>` below `companion`, one record in, one record out.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::{
    Expr, FnArg, GenericArgument, ImplItem, Item, Lit, Meta, Pat, PathArguments, ReturnType, Type, Visibility,
};

pub mod kotlin;
pub mod names;
pub mod swift;

/// A method of a feature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// As `Companion` hands it out, such as `visits`.
    pub feature: String,
    /// Its name in Rust.
    pub method: String,
    /// Its documentation, line by line, without comment marks; other calls by the names that the packages give them.
    pub doc: Vec<String>,
    /// What the record that it takes is called.
    pub input: String,
    /// The record that it takes; none = nothing.
    pub takes: Option<String>,
    /// The record that it gives; none = nothing.
    pub gives: Option<String>,
    /// It waits for the hub.
    pub is_async: bool,
}

/// The calls, by feature and name, and where each record is found.
#[derive(Debug)]
pub struct List {
    /// Sorted.
    pub calls: Vec<Call>,
    /// What each feature is for, in a sentence: feature, documentation.
    pub features: BTreeMap<String, Vec<String>>,
    /// The records: path in Rust by name.
    pub types: BTreeMap<String, String>,
}

/// Reads the folder `companion` of the sources.
///
/// # Panics
/// When a source cannot be read, or a method keeps to another shape: it could not cross.
pub fn read(companion: &Path) -> List {
    let mut files = Vec::new();
    list(companion, &mut files);
    files.sort();
    let parsed: Vec<(String, syn::File)> = files
        .iter()
        .map(|path| {
            let below = path.strip_prefix(companion).expect("below").with_extension("");
            let module = below.iter().next().expect("a name").to_string_lossy().into_owned();
            let text = fs::read_to_string(path).expect("a source file");
            (module, syn::parse_file(&text).expect("Rust"))
        })
        .collect();
    let found = features(&parsed);
    let mut calls = Vec::new();
    for item in parsed.iter().flat_map(|(_, file)| &file.items) {
        let Item::Impl(block) = item else { continue };
        let named = name_of(&block.self_ty).filter(|_| block.trait_.is_none());
        let Some((feature, _)) = named.and_then(|name| found.get(&name)) else { continue };
        calls.extend(block.items.iter().filter_map(|item| call(feature, item)));
    }
    calls.sort_by(|a, b| (&a.feature, &a.method).cmp(&(&b.feature, &b.method)));
    let methods: BTreeSet<String> = calls.iter().map(|call| call.method.clone()).collect();
    for line in calls.iter_mut().flat_map(|call| &mut call.doc) {
        *line = names::calls_in(line, &methods);
    }
    List { calls, features: found.into_values().collect(), types: types(&parsed) }
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            list(&path, files);
        } else if path.extension().is_some_and(|end| end == "rs") {
            files.push(path);
        }
    }
}

/// The features by their types: what the methods of `Companion` hand out with a lifetime.
fn features(parsed: &[(String, syn::File)]) -> BTreeMap<String, (String, Vec<String>)> {
    let mut found = BTreeMap::new();
    for item in parsed.iter().filter(|(module, _)| module == "mod").flat_map(|(_, file)| &file.items) {
        let Item::Impl(block) = item else { continue };
        for item in &block.items {
            let ImplItem::Fn(method) = item else { continue };
            if let (Visibility::Public(_), ReturnType::Type(_, gives)) = (&method.vis, &method.sig.output)
                && let Type::Path(path) = &**gives
                && let PathArguments::AngleBracketed(of) =
                    &path.path.segments.last().expect("a name").arguments
                && matches!(of.args.first(), Some(GenericArgument::Lifetime(_)))
            {
                let of = (method.sig.ident.to_string(), doc(&method.attrs));
                found.insert(name_of(gives).expect("a type"), of);
            }
        }
    }
    found
}

/// Where each record is found from outside: those of `record` and of private modules at the top.
fn types(parsed: &[(String, syn::File)]) -> BTreeMap<String, String> {
    let open = |of: &str| {
        let items = parsed.iter().filter(|(module, _)| module == "mod").flat_map(|(_, file)| &file.items);
        items.into_iter().any(|item| {
            matches!(item, Item::Mod(module) if module.ident == of && matches!(module.vis, Visibility::Public(_)))
        })
    };
    let mut found = BTreeMap::new();
    for (module, file) in parsed {
        let place = if open(module) { format!("{module}::") } else { String::new() };
        for item in &file.items {
            let (visibility, name, attributes) = match item {
                Item::Struct(it) => (&it.vis, &it.ident, &it.attrs),
                Item::Enum(it) => (&it.vis, &it.ident, &it.attrs),
                _ => continue,
            };
            if matches!(visibility, Visibility::Public(_)) && attributes.iter().any(crosses) {
                found.insert(name.to_string(), format!("langso_device::companion::{place}{name}"));
            }
        }
    }
    found
}

/// `#[derive(uniffi::Record)]` and the like.
fn crosses(attribute: &syn::Attribute) -> bool {
    matches!(&attribute.meta, Meta::List(list)
        if list.path.is_ident("derive") && list.tokens.to_string().contains("uniffi"))
}

fn call(feature: &str, item: &ImplItem) -> Option<Call> {
    let ImplItem::Fn(method) = item else { return None };
    if !matches!(method.vis, Visibility::Public(_)) {
        return None;
    }
    let name = &method.sig.ident;
    let mut inputs = method.sig.inputs.iter().skip(1);
    let (Some(FnArg::Typed(input)), None) = (inputs.next(), inputs.next()) else {
        panic!("{feature}.{name} does not take one record");
    };
    let taken = name_of(&input.ty).filter(|taken| taken != "Nothing");
    let ReturnType::Type(_, gives) = &method.sig.output else { panic!("{feature}.{name} gives no result") };
    let Type::Path(result) = &**gives else { panic!("{feature}.{name} gives no result") };
    let PathArguments::AngleBracketed(of) = &result.path.segments.last().expect("a name").arguments else {
        panic!("{feature}.{name} gives no result");
    };
    let Some(GenericArgument::Type(given)) = of.args.first() else {
        panic!("{feature}.{name} gives no record")
    };
    Some(Call {
        feature: feature.to_owned(),
        method: name.to_string(),
        doc: doc(&method.attrs),
        input: match &*input.pat {
            Pat::Ident(it) => it.ident.to_string(),
            _ => "input".to_owned(),
        },
        takes: taken,
        gives: name_of(given).filter(|given| given != "Nothing"),
        is_async: method.sig.asyncness.is_some(),
    })
}

fn name_of(of: &Type) -> Option<String> {
    let Type::Path(path) = of else { return None };
    Some(path.path.segments.last()?.ident.to_string())
}

fn doc(attributes: &[syn::Attribute]) -> Vec<String> {
    let mut lines = Vec::new();
    for attribute in attributes {
        if let Meta::NameValue(pair) = &attribute.meta
            && pair.path.is_ident("doc")
            && let Expr::Lit(literal) = &pair.value
            && let Lit::Str(line) = &literal.lit
        {
            lines.push(line.value().trim_start().to_owned());
        }
    }
    lines
}
