//! Newer items over the release.

use serde_json::json as j;

use super::super::{Content, ContentKind as K, ContentRef, Item, Problem};
use super::{json, next_version};

fn reference(text: &str) -> ContentRef {
    text.parse().expect(text)
}

#[test]
fn the_newest_version_is_for_new_work_and_the_old_stays_readable() {
    let text = next_version(K::Tutorial, "T1", |value| value["title"]["en"] = j!("VNeID again"));
    let release = Content::packaged();
    let item = release.check_item(K::Tutorial, &text).expect("a good item");
    assert_eq!(
        release.tutorial("T1").map(|tutorial| tutorial.version),
        Some(1),
        "checking publishes nothing"
    );
    let content = release.with(item).expect("good content");
    assert_eq!(content.tutorial("T1").map(|tutorial| tutorial.reference()), Some(reference("T1@2")));
    assert_eq!(content.tutorial_at(&reference("T1@1")), release.tutorial("T1"));
    assert_eq!(content.tutorial_at(&reference("T1@3")), None);
}

#[test]
fn an_older_version_that_comes_late_does_not_win() {
    let mut fifth = json(K::Service, "sim_4g");
    fifth["version"] = j!(5);
    let fifth = Content::read_item(K::Service, &fifth.to_string()).expect("an item");
    let second =
        Content::read_item(K::Service, &next_version(K::Service, "sim_4g", |_| ())).expect("an item");
    let content = Content::packaged().with(fifth).and_then(|content| content.with(second)).expect("content");
    assert_eq!(content.service("sim_4g").map(|service| service.version), Some(5));
    assert!(content.service_at(&reference("sim_4g@2")).is_some());
}

#[test]
fn a_version_never_changes() {
    let content = Content::packaged();
    let mut service = content.service("sim_4g").cloned().expect("the service");
    content.with(Item::Service(service.clone())).expect("the same again is no fault");
    service.title.en = "Other".to_owned();
    let errors = content.with(Item::Service(service)).expect_err("another content");
    assert_eq!((errors[0].problem, errors[0].path.as_str()), (Problem::VersionTaken, "version"));
    assert_eq!(errors[0].file, "service sim_4g@1");
}

#[test]
fn a_new_service_and_its_tutorial_come_together() {
    let mut tutorial = json(K::Tutorial, "T4");
    tutorial["code"] = j!("T10");
    tutorial["results"][0]["service"] = j!("telehealth");
    let mut service = json(K::Service, "digital_signature");
    service["code"] = j!("telehealth");
    service["tutorial"] = j!("T10");
    let tutorial = Content::read_item(K::Tutorial, &tutorial.to_string()).expect("a tutorial");
    let service = Content::read_item(K::Service, &service.to_string()).expect("a service");
    assert!(Content::packaged().with(service.clone()).is_err(), "its tutorial is not there yet");
    let content = Content::packaged().with_all(vec![service.into(), tutorial.into()]).expect("both");
    assert_eq!(content.check_service_row(&reference("telehealth@1"), 1, None, None), Ok(()));
}

#[test]
fn a_list_may_grow_and_never_forgets_a_number() {
    let grown = next_version(K::List, "languages", |value| {
        let entries = value["entries"].as_array_mut().expect("entries");
        entries.push(j!({"number": 16, "code": "lao", "vi": "Tiếng Lào", "en": "Lao"}));
    });
    let item = Content::packaged().check_item(K::List, &grown).expect("a longer list");
    let content = Content::packaged().with(item).expect("content");
    assert!(content.list("languages").is_some_and(|list| list.number(16).is_some()));
    let shrunk = next_version(K::List, "languages", |value| {
        value["entries"].as_array_mut().expect("entries").remove(0);
    });
    let errors = Content::packaged().check_item(K::List, &shrunk).expect_err("a number is gone");
    assert_eq!((errors[0].problem, errors[0].value.as_str()), (Problem::NumberChanged, "kinh=1"));
}

#[test]
fn an_item_goes_through_json_and_back() {
    for item in super::super::packaged::items().expect("the release") {
        let back = Content::read_item(item.item.kind(), &item.item.to_json()).expect("the same item");
        assert_eq!(back, item.item, "{}", item.file);
        assert_eq!(K::from_name(back.kind().name()), Some(back.kind()));
    }
}
