//! The features in Kotlin: an interface each, what stands behind it on a phone, and a fake.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::names::{camel, feature, generated, pascal, plain};
use crate::{Call, List};

const HEAD: &str = "// Written from the features of the core; not to be edited.\n";

/// `Features.kt` of the package, and `Fakes.kt` of its fake.
pub fn written(list: &List) -> [(&'static str, String); 2] {
    let mut by_feature: BTreeMap<&str, Vec<&Call>> = BTreeMap::new();
    for call in &list.calls {
        by_feature.entry(&call.feature).or_default().push(call);
    }
    let mut real = format!("{HEAD}package vn.langso\n\nimport vn.langso.core.*\n\n");
    let mut fake = format!("{HEAD}package vn.langso.fake\n\nimport vn.langso.*\nimport vn.langso.core.*\n\n");
    all(&mut real, list, &by_feature);
    for (of, calls) in &by_feature {
        let name = pascal(feature(of));
        doc(&mut real, "", list.features.get(*of).map_or(&[][..], Vec::as_slice));
        let _ = writeln!(real, "interface {name}Feature {{");
        for call in calls {
            doc(&mut real, "    ", &call.doc);
            let _ = writeln!(real, "    {}\n", head(call));
        }
        let _ =
            writeln!(real, "}}\n\ninternal class Real{name}(private val calls: Calls) : {name}Feature {{");
        for call in calls {
            let given = call.takes.as_ref().map(|_| call_input(call)).unwrap_or_default();
            let target = generated(call);
            let _ = match (call.is_async, given.is_empty()) {
                (false, _) => {
                    writeln!(real, "    override {} = calls.run {{ it.{target}({given}) }}\n", head(call))
                }
                (true, true) => writeln!(
                    real,
                    "    override {} = calls.wait {{ phone, cancel -> phone.{target}(cancel) }}\n",
                    head(call)
                ),
                (true, false) => writeln!(
                    real,
                    "    override {} = calls.wait {{ phone, cancel -> phone.{target}({given}, cancel) }}\n",
                    head(call)
                ),
            };
        }
        real.push_str("}\n\n");
        let _ = writeln!(
            fake,
            "/** Answers what a test gave it to answer. */\nclass Fake{name} internal constructor(private val fake: FakeLangso) : {name}Feature {{"
        );
        for call in calls {
            let (method, full) = (camel(&call.method), format!("{}.{}", feature(of), camel(&call.method)));
            let takes = call.takes.as_deref().unwrap_or_default();
            let gives = call.gives.as_deref().unwrap_or("Unit");
            let given = if takes.is_empty() { String::new() } else { call_input(call) };
            let noted = if given.is_empty() { "null" } else { &given };
            let _ = writeln!(
                fake,
                "    /** What [{method}] answers. */\n    var on{}: suspend ({takes}) -> {gives} = {{ fake.unanswered(\"{full}\") }}\n\n    override {} {{\n        fake.note(\"{full}\", {noted})\n        return on{}({given})\n    }}\n",
                pascal(&call.method),
                head(call),
                pascal(&call.method),
            );
        }
        fake.push_str("}\n\n");
    }
    fakes(&mut fake, &by_feature);
    [("Features.kt", real), ("Fakes.kt", fake)]
}

/// Everything that can be asked of a phone, by feature.
fn all(real: &mut String, list: &List, by_feature: &BTreeMap<&str, Vec<&Call>>) {
    real.push_str("/** All features of a phone. */\ninterface Features {\n");
    for of in by_feature.keys() {
        doc(real, "    ", list.features.get(*of).map_or(&[][..], Vec::as_slice));
        let name = feature(of);
        let _ = writeln!(real, "    val {}: {}Feature\n", camel(name), pascal(name));
    }
    real.push_str("}\n\ninternal class RealFeatures(calls: Calls) : Features {\n");
    for of in by_feature.keys() {
        let name = feature(of);
        let _ = writeln!(
            real,
            "    override val {}: {}Feature = Real{}(calls)",
            camel(name),
            pascal(name),
            pascal(name)
        );
    }
    real.push_str("}\n\n");
}

fn fakes(fake: &mut String, by_feature: &BTreeMap<&str, Vec<&Call>>) {
    fake.push_str("/** Fakes of all features. */\nabstract class FakeFeatures : Features {\n    internal abstract val self: FakeLangso\n\n");
    for of in by_feature.keys() {
        let name = feature(of);
        let _ = writeln!(
            fake,
            "    override val {}: Fake{} by lazy {{ Fake{}(self) }}",
            camel(name),
            pascal(name),
            pascal(name)
        );
    }
    fake.push_str("}\n");
}

fn call_input(call: &Call) -> String {
    camel(&call.input)
}

fn head(call: &Call) -> String {
    let takes = call.takes.as_ref().map(|takes| format!("{}: {takes}", call_input(call))).unwrap_or_default();
    let gives = call.gives.as_ref().map(|gives| format!(": {gives}")).unwrap_or_else(|| ": Unit".to_owned());
    format!("suspend fun {}({takes}){gives}", camel(&call.method))
}

fn doc(text: &mut String, indent: &str, lines: &[String]) {
    let lines = plain(lines);
    if let [line] = &lines[..] {
        let _ = writeln!(text, "{indent}/** {line} */");
        return;
    }
    let _ = writeln!(text, "{indent}/**");
    for line in lines {
        let _ = writeln!(text, "{}", format!("{indent} * {line}").trim_end());
    }
    let _ = writeln!(text, "{indent} */");
}
