//! UniFFI's generator as a program of this workspace: a package of its own, so that none of it gets into the core.

fn main() {
    uniffi::uniffi_bindgen_main();
}
