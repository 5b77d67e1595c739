//! The packages offer what `Companion` offers, no more and no less.

#![allow(missing_docs, reason = "tests")]

use std::collections::BTreeSet;
use std::path::Path;

use langso_calls::names::feature;

fn list() -> langso_calls::List {
    langso_calls::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/device/src/companion"))
}

#[test]
fn every_call_by_name_is_a_call_of_the_packages_and_the_other_way_round() {
    let by_name: BTreeSet<String> = langso_device::Companion::call_names().map(str::to_owned).collect();
    let list = list();
    let of_packages: BTreeSet<String> =
        list.calls.iter().map(|call| format!("{}.{}", feature(&call.feature), call.method)).collect();
    assert_eq!(by_name, of_packages);
}

#[test]
fn every_call_and_feature_says_what_it_does() {
    let list = list();
    for call in &list.calls {
        assert!(!call.doc.is_empty(), "{}.{} says nothing", call.feature, call.method);
        assert!(
            call.doc.iter().any(|line| line == "# Errors"),
            "{}.{} names no errors",
            call.feature,
            call.method
        );
    }
    for (feature, doc) in &list.features {
        assert!(!doc.is_empty(), "{feature} says nothing");
    }
}

#[test]
fn both_packages_name_every_call() {
    let list = list();
    for [(name, main), (_, fake)] in
        [langso_calls::kotlin::written(&list), langso_calls::swift::written(&list)]
    {
        for call in &list.calls {
            let head = format!("func {}(", langso_calls::names::camel(&call.method));
            let head = if name.ends_with(".kt") { head.replace("func ", "fun ") } else { head };
            assert!(main.contains(&head) && fake.contains(&head), "{head} is not in {name} or its fake");
        }
    }
}

/// Names that an app has anyway: of Kotlin and its collections without an import, of Compose, of Swift, Foundation and
/// SwiftUI.
const TAKEN: &str = "Any Array Boolean Byte Char Double Error Exception Float Function Int Lazy List Long Map Nothing Number \
    Pair Result Sequence Set Short String Throwable Triple Unit Modifier Composable Surface Scaffold Row Column Box Text \
    Button Icon Image Bool Character Data Date Decimal Dictionary Locale Measurement Notification Optional Progress Task \
    Timer TimeZone UUID URL Binding Color Divider Environment Font Form Gesture Grid Group Label Link Menu Observable \
    Path Picker Section Shape Slider Spacer State Stepper Store Tab Table Toggle Transaction View";

#[test]
fn no_record_takes_a_name_that_an_app_has_anyway() {
    let list = list();
    assert!(list.types.len() > 200, "{}", list.types.len());
    let taken: Vec<&String> =
        list.types.keys().filter(|name| TAKEN.split_whitespace().any(|other| other == *name)).collect();
    assert_eq!(taken, Vec::<&String>::new());
}
