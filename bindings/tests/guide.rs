//! The guide shows what was run: its first screens are the files that the packages' tests compile and try.

#![allow(missing_docs, reason = "tests")]

use std::path::{Path, PathBuf};

fn read(path: &str) -> String {
    let root: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    std::fs::read_to_string(root.join(path)).expect("a file of the repository")
}

#[test]
fn the_first_screens_of_the_guide_are_those_that_the_tests_try() {
    let guide = read("docs/guide/integrator.md");
    for (language, file) in [
        ("kotlin", "bindings/kotlin/fake/src/test/kotlin/vn/langso/fake/FirstScreen.kt"),
        ("swift", "bindings/swift/Tests/LangsoTests/FirstScreen.swift"),
    ] {
        let text = read(file);
        let (_, rest) = text.split_once("// first screen\n").expect("where it begins");
        let (screen, _) = rest.split_once("// end of first screen").expect("where it ends");
        assert!(
            guide.contains(&format!("```{language}\n{screen}```\n")),
            "{file} is not what the guide shows"
        );
    }
}
