//! The rules of the house that a compiler does not hold: which crate may use which, what pure crates may
//! touch, how files open and how long they get, what never enters a file. Reads the manifests and sources
//! as text, so it may rely on nothing but their place. A rule that must change is changed here, with the
//! reason beside it.

use std::path::{Path, PathBuf};
use std::process::Command;

use toml::{Table, Value};

/// Who may use whom: crate, in the product, in its tests besides. From the bottom up.
const ARROWS: &[(&str, &[&str], &[&str])] = &[
    ("langso-domain", &[], &[]),
    ("langso-sync", &["langso-domain"], &[]),
    ("langso-store", &["langso-domain", "langso-sync"], &["langso-faults"]),
    // What breaks disks under tests stands on nothing of ours.
    ("langso-faults", &[], &[]),
    ("langso-simulator", &["langso-domain", "langso-sync", "langso-store"], &[]),
    ("langso-device", &["langso-domain", "langso-sync", "langso-store"], &["langso-faults"]),
    // Reads sources as text: what the packages offer is written from it.
    ("langso-calls", &[], &[]),
    ("langso-ffi", &["langso-device", "langso-calls"], &[]),
    // The tests of the hub drive it with real phones.
    ("langso-hub", &["langso-domain", "langso-sync", "langso-store"], &["langso-device", "langso-faults"]),
    (
        "langso",
        &["langso-domain", "langso-sync", "langso-store", "langso-simulator", "langso-device", "langso-hub"],
        &[],
    ),
];

/// Crates that may hold unsafe code, each with its reason; no program is built of them.
const MAY_BE_UNSAFE: &[(&str, &str)] =
    &[("tools/faults/Cargo.toml", "a VFS of SQLite is a table of C functions; only tests use it")];

/// Crates whose result depends on their arguments alone, so that merge and session can be tested by seed.
const PURE: &[&str] = &["core/domain/", "core/sync/"];
const IMPURE_CRATES: &[&str] =
    &["axum", "getrandom", "hyper", "rand", "reqwest", "rusqlite", "rustix", "tokio", "ureq"];
const IMPURE_CODE: &[&str] = &[
    "SystemTime",
    "Instant::now",
    "::now()",
    "std::fs",
    "fs::",
    "std::net",
    "TcpStream",
    "std::env",
    "std::process",
    "std::thread",
];

/// The feature of langso-sync that replaces signatures by hashes.
const STUBBED: &str = "stubbed-signatures";

/// Lines in one Rust file; the aim is 200.
const MAX_LINES: usize = 500;

/// Files that may sleep, each with its reason. A test that waits for time to pass is slow or wrong: hand
/// the time in.
const MAY_SLEEP: &[(&str, &str)] = &[(
    "hub/src/projector.rs",
    "no event tells what another process wrote; and between two rounds others shall work",
)];

/// Roots of somebody's machine.
const MACHINE_ROOTS: &[&str] = &["/root", "/work", "/home", "/tmp", "/Users", "C:\\Users"];

/// This file names what it forbids.
const THIS: &str = "cli/tests/architecture.rs";

/// A file of the repository: its path from the root with `/`, and its text.
struct Source {
    path: String,
    text: String,
}

impl Source {
    /// Numbered from 1, comments blanked.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(at, line)| (at + 1, without_comment(line)))
    }

    fn line_of(&self, start: &str) -> usize {
        self.text.lines().position(|line| line.trim_start().starts_with(start)).map_or(1, |at| at + 1)
    }

    fn is_test(&self) -> bool {
        let beside = self.path.ends_with("/tests.rs") || self.path.ends_with("_tests.rs");
        beside || self.path.contains("/tests/") || self.path.contains("/benches/")
    }
}

/// A crate's manifest.
struct Manifest {
    source: Source,
    table: Table,
}

impl Manifest {
    fn name(&self) -> &str {
        self.table["package"]["name"].as_str().expect("a package has a name")
    }

    /// Every dependency with the kind of table it stands in (`dependencies`, `dev-dependencies`,
    /// `build-dependencies`), those of single platforms included.
    fn dependencies(&self) -> Vec<(&'static str, &str, &Value)> {
        let platforms = self.table.get("target").and_then(Value::as_table);
        let tables = platforms.into_iter().flat_map(|all| all.values().filter_map(Value::as_table));
        let mut found = Vec::new();
        for table in std::iter::once(&self.table).chain(tables) {
            for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
                let of_kind = table.get(kind).and_then(Value::as_table).into_iter().flatten();
                found.extend(of_kind.map(|(name, value)| (kind, name.as_str(), value)));
            }
        }
        found
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("cli lies in the root").to_path_buf()
}

/// Paths that git tracks or would add; without git (an unpacked archive), all but what is built.
fn paths() -> Vec<String> {
    let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    if let Ok(out) = Command::new("git").args(list).current_dir(root()).output()
        && out.status.success()
    {
        let text = String::from_utf8(out.stdout).expect("paths are UTF-8");
        let mut paths: Vec<String> = text.split_terminator('\0').map(str::to_owned).collect();
        paths.sort();
        paths.dedup();
        return paths;
    }
    let (mut paths, mut folders) = (Vec::new(), vec![root()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a readable folder").flatten() {
            let path = entry.path();
            let name = entry.file_name();
            if path.is_dir() {
                let built = ["target", ".git", ".cache", ".demo", "build", ".gradle", ".build"];
                if !built.iter().any(|skip| name == *skip) {
                    folders.push(path);
                }
            } else {
                let inside = path.strip_prefix(root()).expect("a path below the root");
                paths.push(inside.to_string_lossy().replace('\\', "/"));
            }
        }
    }
    paths.sort();
    paths
}

/// Every text file. A file that git lists and somebody has just removed is left out.
fn texts() -> Vec<Source> {
    let read = |path: String| {
        let text = String::from_utf8(std::fs::read(root().join(&path)).ok()?).ok()?;
        (!text.contains('\0')).then_some(Source { path, text })
    };
    paths().into_iter().filter_map(read).collect()
}

fn rust() -> Vec<Source> {
    texts().into_iter().filter(|source| source.path.ends_with(".rs")).collect()
}

fn parse(source: Source) -> Manifest {
    let table = source.text.parse().unwrap_or_else(|why| panic!("{}: {why}", source.path));
    Manifest { source, table }
}

/// Those of this workspace: a tool with one of its own (UniFFI's generator) is never built with the core.
fn manifests() -> Vec<Manifest> {
    let all = texts().into_iter().filter(|source| source.path.ends_with("/Cargo.toml")).map(parse);
    let has = |manifest: &Manifest, table| manifest.table.contains_key(table);
    all.filter(|manifest| has(manifest, "package") && !has(manifest, "workspace")).collect()
}

/// Fails with one `file:line` a complaint, and what to do.
#[track_caller]
fn demand(rule: &str, found: &[String], remedy: &str) {
    assert!(found.is_empty(), "{rule}\n\n  {}\n\nWhat to do: {remedy}\n", found.join("\n  "));
}

fn without_comment(line: &str) -> &str {
    if line.trim_start().starts_with("//") {
        return "";
    }
    line.split_once(" // ").map_or(line, |(code, _)| code)
}

/// Whether `needle` stands in `line` as whole words; a needle that ends in punctuation may be followed by
/// anything.
fn has_word(line: &str, needle: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(needle).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + needle.len()..].chars().next();
        let opens = !needle.starts_with(is_word) || !before.is_some_and(is_word);
        let closes = !needle.ends_with(is_word) || !after.is_some_and(is_word);
        opens && closes
    })
}

/// Whether a call or import of a sleep stands in `line`; a method of our own (`clock.sleep(…)`) is none.
fn sleeps(line: &str) -> bool {
    let imported = line.trim_start().starts_with("use ") || line.contains("::");
    line.match_indices("sleep").any(|(at, word)| {
        let (before, after) = (&line[..at], &line[at + word.len()..]);
        let whole = !before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '.' || c == '"');
        let call = (after.starts_with('(') || after.starts_with("_until(")) && !before.ends_with("fn ");
        let import = imported && (before.ends_with("::") || before.ends_with('{') || before.ends_with(", "));
        whole && (call || import)
    })
}

/// Whether an absolute path into somebody's machine stands in `line`.
fn names_machine(line: &str) -> bool {
    MACHINE_ROOTS.iter().any(|root| {
        line.match_indices(root).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            let after = line[at + root.len()..].chars().next();
            let starts = !before.is_some_and(|c| c.is_alphanumeric() || "/._-$}~".contains(c));
            starts && !after.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '-')
        })
    })
}

/// The lines of code that ship: `#[cfg(test)]` items are left out. Relies on rustfmt, which puts the brace
/// that closes an item where the item began.
fn shipped(source: &Source) -> Vec<(usize, &str)> {
    let mut lines = source.code();
    let mut kept = Vec::new();
    while let Some((number, line)) = lines.next() {
        if line.trim() != "#[cfg(test)]" {
            kept.push((number, line));
            continue;
        }
        let indent = &line[..line.len() - line.trim_start().len()];
        let own = |inner: &str| inner.strip_prefix(indent).is_some_and(|rest| !rest.starts_with(' '));
        let ends =
            |inner: &str| [";", ",", "{}"].iter().any(|end| inner.ends_with(end)) || inner.trim() == "}";
        lines.by_ref().find(|(_, inner)| own(inner) && ends(inner));
    }
    kept
}

#[test]
fn crates_use_only_the_crates_below_them() {
    let mut found = Vec::new();
    for manifest in manifests() {
        let (path, name) = (&manifest.source.path, manifest.name());
        let Some((_, product, tests)) = ARROWS.iter().find(|(of, ..)| *of == name) else {
            found.push(format!("{path}:1: {name} has no place among the crates"));
            continue;
        };
        for (kind, used, _) in manifest.dependencies() {
            let allowed = product.contains(&used) || (kind == "dev-dependencies" && tests.contains(&used));
            if used.starts_with("langso") && !allowed {
                let line = manifest.source.line_of(used);
                found.push(format!("{path}:{line}: {name} uses {used} ({kind})"));
            }
        }
    }
    demand(
        "The arrows are domain < sync < store < device < ffi; hub and simulator stand on store; cli on all.",
        &found,
        "move the code to the crate that may use it; a new crate gets a line in ARROWS",
    );
}

#[test]
fn pure_crates_reach_for_nothing_outside() {
    let mut found = Vec::new();
    for manifest in manifests().iter().filter(|one| PURE.iter().any(|pure| one.source.path.starts_with(pure)))
    {
        for (kind, used, _) in manifest.dependencies() {
            if kind == "dependencies" && IMPURE_CRATES.contains(&used) {
                let line = manifest.source.line_of(used);
                found.push(format!("{}:{line}: uses {used}", manifest.source.path));
            }
        }
    }
    let in_src = |source: &Source| PURE.iter().any(|pure| source.path.starts_with(&format!("{pure}src/")));
    for source in rust().iter().filter(|source| in_src(source) && !source.is_test()) {
        for (number, line) in shipped(source) {
            if let Some(word) = IMPURE_CODE.iter().find(|word| has_word(line, word)) {
                found.push(format!("{}:{number}: `{word}`", source.path));
            }
        }
    }
    demand(
        "core/domain and core/sync know no clock, chance, file, network or database.",
        &found,
        "take the value as an argument and let core/store, core/device or hub fetch it",
    );
}

#[test]
fn signatures_are_stubbed_for_the_simulator_alone() {
    let asks = |manifest: &&Manifest| {
        let features = manifest.dependencies().into_iter().filter_map(|(.., value)| value.get("features"));
        features.flat_map(|list| list.as_array()).flatten().any(|one| one.as_str() == Some(STUBBED))
    };
    let asking: Vec<String> =
        manifests().iter().filter(asks).map(|manifest| manifest.name().to_owned()).collect();
    assert_eq!(asking, ["langso-simulator"], "nobody else may ask for `{STUBBED}` of langso-sync");
    let makes = |source: &&Source| {
        source.path != THIS && shipped(source).iter().any(|(_, line)| line.contains("SigningKey::stubbed"))
    };
    let making: Vec<String> = rust().iter().filter(makes).map(|source| source.path.clone()).collect();
    assert_eq!(making, ["core/simulator/src/lib.rs"], "nobody else may make such a key");
}

#[test]
fn versions_stand_only_in_the_workspace() {
    let mut found = Vec::new();
    let inherits = |value: &Value| value.get("workspace").and_then(Value::as_bool) == Some(true);
    for manifest in manifests() {
        let path = &manifest.source.path;
        for (kind, used, value) in manifest.dependencies() {
            let own = ["version", "path", "git", "registry"].iter().any(|key| value.get(key).is_some());
            if !inherits(value) || own {
                let line = manifest.source.line_of(used);
                found.push(format!("{path}:{line}: {used} ({kind}) is not `workspace = true`"));
            }
        }
        for key in ["version", "edition", "rust-version", "license", "publish"] {
            if !manifest.table["package"].get(key).is_some_and(inherits) {
                let line = manifest.source.line_of(key);
                found.push(format!("{path}:{line}: `{key}.workspace = true` is missing"));
            }
        }
        let may_be_unsafe = MAY_BE_UNSAFE.iter().any(|(of, _)| of == path);
        if !may_be_unsafe && !manifest.table.get("lints").is_some_and(inherits) {
            found.push(format!("{path}:1: `[lints] workspace = true` is missing"));
        }
    }
    demand(
        "Versions, licence and lints are said once, in the Cargo.toml of the root.",
        &found,
        "put the version under [workspace.dependencies] and write `name.workspace = true` in the crate",
    );
}

#[test]
fn what_may_be_unsafe_says_why_and_keeps_the_other_lints() {
    let manifests = manifests();
    let root: Table =
        std::fs::read_to_string(root().join("Cargo.toml")).expect("a root").parse().expect("TOML");
    for (path, reason) in MAY_BE_UNSAFE {
        let manifest = manifests.iter().find(|manifest| manifest.source.path == *path);
        let manifest = manifest.unwrap_or_else(|| panic!("{path} is gone: take the line out ({reason})"));
        let mut ours = root["workspace"]["lints"].as_table().expect("lints").clone();
        ours["rust"].as_table_mut().expect("lints of rustc").remove("unsafe_code");
        assert_eq!(
            manifest.table["lints"].as_table(),
            Some(&ours),
            "{path}: the other lints are the workspace's"
        );
    }
}

#[test]
fn every_file_says_what_it_is() {
    let sources = rust();
    let silent = sources.iter().filter(|source| !source.text.starts_with("//!"));
    let found: Vec<_> = silent.map(|source| format!("{}:1: no `//!`", source.path)).collect();
    demand(
        "Every Rust file opens with `//!`.",
        &found,
        "say what the module is, what it may rely on, and the one idea to hold",
    );
}

#[test]
fn no_file_outgrows_a_reader() {
    let sources = rust();
    let lengths = sources.iter().map(|source| (&source.path, source.text.lines().count()));
    let long = lengths.filter(|(_, lines)| *lines > MAX_LINES);
    let found: Vec<_> = long.map(|(path, lines)| format!("{path}:{lines}: {lines} lines")).collect();
    demand(
        &format!("A Rust file has at most {MAX_LINES} lines."),
        &found,
        "split by feature; tests go to tests.rs beside the code, or to files below tests/",
    );
}

#[test]
fn no_test_is_switched_off() {
    let mut found = Vec::new();
    for source in rust().iter().filter(|source| source.path != THIS) {
        for (number, line) in source.code() {
            if line.trim_start().starts_with("#[ignore")
                || line.contains(", ignore") && line.contains("cfg_attr")
            {
                found.push(format!("{}:{number}: {}", source.path, line.trim()));
            }
        }
    }
    demand("Every test runs, always.", &found, "mend it, make it faster, or remove it");
}

#[test]
fn nothing_waits_for_time_to_pass() {
    let mut found = Vec::new();
    let may = |source: &Source| source.path == THIS || MAY_SLEEP.iter().any(|(path, _)| *path == source.path);
    for source in rust().iter().filter(|source| !may(source)) {
        let asleep = source.code().filter(|(_, line)| sleeps(line));
        found.extend(asleep.map(|(number, line)| format!("{}:{number}: {}", source.path, line.trim())));
    }
    demand(
        "Nothing sleeps.",
        &found,
        "wait for the event itself or take the time as an argument; a true need goes into MAY_SLEEP with its \
         reason",
    );
}

#[test]
fn those_who_may_sleep_exist() {
    let paths = paths();
    let gone = MAY_SLEEP.iter().filter(|(path, _)| !paths.iter().any(|one| one == path));
    let found: Vec<_> = gone.map(|(path, reason)| format!("{path}: {reason}")).collect();
    demand("MAY_SLEEP names files that are there.", &found, "take the line out");
}

#[test]
fn nothing_is_left_for_later() {
    let mut found = Vec::new();
    for source in texts().iter().filter(|source| source.path != THIS) {
        for (number, line) in (1..).zip(source.text.lines()) {
            let words = ["todo!", "unimplemented!", "TODO", "FIXME"];
            if let Some(word) = words.iter().find(|word| has_word(line, word)) {
                found.push(format!("{}:{number}: {word}", source.path));
            }
        }
    }
    demand(
        "No unfinished work in the tree.",
        &found,
        "finish it, or open an issue and say the limit in the docs",
    );
}

#[test]
fn no_file_names_a_machine() {
    let mut found = Vec::new();
    for source in texts().iter().filter(|source| source.path != THIS) {
        let named = (1..).zip(source.text.lines()).filter(|(_, line)| names_machine(line));
        found.extend(named.map(|(number, line): (usize, _)| {
            let shown: String = line.trim().chars().take(100).collect();
            format!("{}:{number}: {shown}", source.path)
        }));
    }
    demand(
        "No absolute path of somebody's machine in the tree.",
        &found,
        "use a path from the root of the repository, an environment variable, or a temporary folder of tempfile",
    );
}

#[test]
fn the_rules_see_what_they_forbid_and_nothing_else() {
    for line in
        ["thread::sleep(d)", "use tokio::time::{sleep, timeout};", "  sleep(d).await", "time::sleep_until(t)"]
    {
        assert!(sleeps(line), "{line}");
    }
    for line in ["clock.sleep(d)", "fn sleep(&self)", "let asleep = 3;", "say(\"sleep (deep)\")"] {
        assert!(!sleeps(line), "{line}");
    }
    for line in ["see /tmp/a", "\"/root\"", "cd /work/main", "(/home/an)", "/Users/an"] {
        assert!(names_machine(line), "{line}");
    }
    for line in ["src/work/x", "https://a.vn/home/", "$HOME/x", "/workspace", ".route(\"/homes\")", "../tmp/"]
    {
        assert!(!names_machine(line), "{line}");
    }
    assert!(has_word("std::fs::read(p)", "std::fs") && has_word("fs::read(p)", "fs::"));
    assert!(!has_word("prefs::read(p)", "fs::") && !has_word("MySystemTimer", "SystemTime"));

    let text = "use a;\n#[cfg(test)]\nmod tests;\nfn b() {}\n#[cfg(test)]\nmod c {\n    fn d() {}\n    e;\n}\nfn f() {}\n// g\n";
    let source = Source { path: "core/sync/src/a.rs".into(), text: text.into() };
    let kept: Vec<_> = shipped(&source).into_iter().filter(|(_, line)| !line.is_empty()).collect();
    assert_eq!(kept, [(1, "use a;"), (4, "fn b() {}"), (10, "fn f() {}")]);
}
