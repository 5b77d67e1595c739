//! What is said in two places says the same: the versions for Maven, which is built here, and for Gradle, which is not;
//! UniFFI in the core and in its generator; the version of the packages.

#![allow(missing_docs, reason = "tests")]

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).expect("a file of the repository")
}

/// What stands between two marks, first.
fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(start)?;
    rest.split_once(end).map(|(found, _)| found)
}

#[test]
fn gradle_and_maven_name_the_same_versions() {
    let (catalog, pom) = (read("bindings/kotlin/gradle/libs.versions.toml"), read("bindings/kotlin/pom.xml"));
    let versions = between(&catalog, "[versions]\n", "\n[").expect("versions");
    let mut count = 0;
    for line in versions.lines().filter(|line| !line.trim().is_empty()) {
        let (name, version) = line.split_once(" = ").expect("name = version");
        let of_maven = between(&pom, &format!("<{name}.version>"), "<");
        assert_eq!(of_maven, Some(version.trim_matches('"')), "{name}");
        count += 1;
    }
    assert_eq!(count, 3);
}

#[test]
fn the_generator_is_of_the_version_of_the_core() {
    let of = |lock: &str| {
        let lock = read(lock);
        between(&lock, "name = \"uniffi\"\nversion = \"", "\"").expect("uniffi").to_owned()
    };
    assert_eq!(of("Cargo.lock"), of("bindings/uniffi-bindgen/Cargo.lock"));
}

#[test]
fn the_packages_are_of_the_version_of_the_core() {
    for pom in ["pom.xml", "core/pom.xml", "fake/pom.xml", "bench/pom.xml"] {
        let text = read(&format!("bindings/kotlin/{pom}"));
        assert!(text.contains(&format!("<version>{}</version>", env!("CARGO_PKG_VERSION"))), "{pom}");
    }
}
