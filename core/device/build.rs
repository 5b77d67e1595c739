//! How the phone's core is linked when it is built small (profile `phone`): with its relative relocations packed
//! (RELR), as the linkers of the shells do it: Android reads them from version 9 on, iOS packs its own way.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|is| is == value);
    if is("OPT_LEVEL", "z") && is("CARGO_CFG_TARGET_OS", "linux") {
        println!("cargo:rustc-link-arg-examples=-Wl,-z,pack-relative-relocs");
    }
}
