//! The features in Swift: a protocol each, what stands behind it on a phone, and a fake.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::names::{camel, feature, generated, pascal, plain};
use crate::{Call, List};

const HEAD: &str = "// Written from the features of the core; not to be edited.\n";

/// `Features.swift` of the package, and `Fakes.swift` of its fake.
pub fn written(list: &List) -> [(&'static str, String); 2] {
    let mut by_feature: BTreeMap<&str, Vec<&Call>> = BTreeMap::new();
    for call in &list.calls {
        by_feature.entry(&call.feature).or_default().push(call);
    }
    let mut real = format!("{HEAD}import LangsoCore\n\n");
    let mut fake = format!("{HEAD}import Langso\nimport LangsoCore\n\n");
    all(&mut real, list, &by_feature);
    for (of, calls) in &by_feature {
        let name = pascal(feature(of));
        doc(&mut real, "", list.features.get(*of).map_or(&[][..], Vec::as_slice));
        let _ = writeln!(real, "public protocol {name}Feature: Sendable {{");
        for call in calls {
            doc(&mut real, "  ", &call.doc);
            let _ = writeln!(real, "  {}\n", head(call));
        }
        let _ = writeln!(real, "}}\n\nstruct Real{name}: {name}Feature {{\n  let calls: Calls\n");
        for call in calls {
            let target = generated(call);
            let input = call.takes.as_ref().map(|_| camel(&call.input));
            let named = input.as_ref().map(|input| format!("{input}: {input}"));
            let body = match (call.is_async, named) {
                (false, None) => format!("calls.run {{ try $0.{target}() }}"),
                (false, Some(named)) => format!("calls.run {{ try $0.{target}({named}) }}"),
                (true, None) => format!("calls.wait {{ try await $0.{target}(cancel: $1) }}"),
                (true, Some(named)) => format!("calls.wait {{ try await $0.{target}({named}, cancel: $1) }}"),
            };
            let _ = writeln!(real, "  func {} {{\n    try await {body}\n  }}\n", &head(call)[5..]);
        }
        real.push_str("}\n\n");
        let _ = writeln!(
            fake,
            "/// Answers what a test gave it to answer.\npublic final class Fake{name}: {name}Feature, @unchecked Sendable {{\n  let log: CallLog\n  init(log: CallLog) {{ self.log = log }}\n"
        );
        for call in calls {
            let full = format!("{}.{}", feature(of), camel(&call.method));
            let takes = call.takes.as_deref().unwrap_or_default();
            let gives = call.gives.as_deref().unwrap_or("Void");
            let given = call.takes.as_ref().map(|_| camel(&call.input)).unwrap_or_default();
            let _ = writeln!(
                fake,
                "  /// What `{}` answers.\n  public var on{}: ({takes}) async throws -> {gives} = {{ {}throw Unanswered() }}\n\n  public func {} {{\n    try await log.answer(\"{full}\") {{ try await on{}({given}) }}\n  }}\n",
                camel(&call.method),
                pascal(&call.method),
                if takes.is_empty() { "" } else { "_ in " },
                &head(call)[5..],
                pascal(&call.method),
            );
        }
        fake.push_str("}\n\n");
    }
    fakes(&mut fake, &by_feature);
    [("Features.swift", real), ("Fakes.swift", fake)]
}

fn all(real: &mut String, list: &List, by_feature: &BTreeMap<&str, Vec<&Call>>) {
    real.push_str("/// All features of a phone.\npublic protocol Features: Sendable {\n");
    for of in by_feature.keys() {
        doc(real, "  ", list.features.get(*of).map_or(&[][..], Vec::as_slice));
        let name = feature(of);
        let _ = writeln!(real, "  var {}: any {}Feature {{ get }}\n", camel(name), pascal(name));
    }
    real.push_str("}\n\nextension LangsoPhone {\n");
    for of in by_feature.keys() {
        let name = feature(of);
        let _ = writeln!(
            real,
            "  public var {}: any {}Feature {{ Real{}(calls: calls) }}",
            camel(name),
            pascal(name),
            pascal(name)
        );
    }
    real.push_str("}\n\n");
}

fn fakes(fake: &mut String, by_feature: &BTreeMap<&str, Vec<&Call>>) {
    fake.push_str("/// Fakes of all features.\npublic final class FakeSet: Sendable {\n");
    for of in by_feature.keys() {
        let name = feature(of);
        let _ = writeln!(fake, "  public let {}: Fake{}", camel(name), pascal(name));
    }
    fake.push_str("\n  init(log: CallLog) {\n");
    for of in by_feature.keys() {
        let name = feature(of);
        let _ = writeln!(fake, "    {} = Fake{}(log: log)", camel(name), pascal(name));
    }
    fake.push_str("  }\n}\n\nextension FakeLangso {\n");
    for of in by_feature.keys() {
        let name = feature(of);
        let _ = writeln!(fake, "  public var {0}: any {1}Feature {{ fakes.{0} }}", camel(name), pascal(name));
    }
    fake.push_str("}\n");
}

fn head(call: &Call) -> String {
    let takes =
        call.takes.as_ref().map(|takes| format!("_ {}: {takes}", camel(&call.input))).unwrap_or_default();
    let gives = call.gives.as_ref().map(|gives| format!(" -> {gives}")).unwrap_or_default();
    format!("func {}({takes}) async throws(AppError){gives}", camel(&call.method))
}

fn doc(text: &mut String, indent: &str, lines: &[String]) {
    for line in plain(lines) {
        let _ = writeln!(text, "{}", format!("{indent}/// {line}").trim_end());
    }
}
