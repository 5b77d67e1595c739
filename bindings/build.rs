//! Writes the exported calls: one for each public method of the features of `Companion`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use langso_calls::{Call, List, names};

fn main() {
    let here = env::var("CARGO_MANIFEST_DIR").expect("cargo says where");
    let companion = Path::new(&here).join("../core/device/src/companion");
    println!("cargo:rerun-if-changed={}", companion.display());
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo says where")).join("calls.rs");
    fs::write(out, written(&langso_calls::read(&companion))).expect("a writable folder");
}

fn written(list: &List) -> String {
    let path =
        |name: &String| list.types.get(name).unwrap_or_else(|| panic!("{name} is not public")).as_str();
    let mut text = String::from("#[uniffi::export(async_runtime = \"tokio\")]\nimpl Phone {\n");
    for call in &list.calls {
        let Call { feature, method, input, .. } = call;
        for line in names::plain(&call.doc) {
            let _ = writeln!(text, "    /// {line}");
        }
        let takes =
            call.takes.as_ref().map(|takes| format!(", {input}: {}", path(takes))).unwrap_or_default();
        let gives = call.gives.as_ref().map_or("()", path);
        let given = match &call.takes {
            Some(_) => format!("{input}.clone()"),
            None => "langso_device::companion::Nothing {}".to_owned(),
        };
        let end = if call.gives.is_some() { "" } else { ".map(|_| ())" };
        let _ = match call.is_async {
            false => writeln!(
                text,
                "    pub fn {feature}_{method}(&self{takes}) -> Result<{gives}, AppError> {{
        self.run(|phone| phone.{feature}().{method}({given})){end}
    }}\n"
            ),
            true => writeln!(
                text,
                "    pub async fn {feature}_{method}(&self{takes}, cancel: Arc<Cancel>) -> Result<{gives}, AppError> {{
        self.wait(&cancel, || async {{ self.phone.{feature}().{method}({given}).await }}).await{end}
    }}\n"
            ),
        };
    }
    text.push_str("}\n");
    text
}
