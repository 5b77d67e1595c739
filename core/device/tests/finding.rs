//! Finding a household by what a volunteer types: with marks, without them, half a word, a number, an old name.

mod support;

use langso_device::companion::Nothing;
use langso_device::companion::consents::GivenConsent;
use langso_device::companion::households::{
    FindHouseholds, FoundBy, GivenContact, HouseholdHit, HouseholdHits, HowMatched, ListHouseholds,
    NewHousehold, NewPerson, OfHousehold, Stretch,
};
use langso_domain::id::{HamletId, HouseholdId};
use support::{MEMBER, Team, TestPhone};

struct Book {
    team: Team,
    phone: TestPhone,
}

impl Book {
    fn new() -> Self {
        let mut team = Team::new();
        let mut phone = team.enrol("Lý Thị Sáu", MEMBER);
        team.bring(&mut phone);
        Self { team, phone }
    }

    fn hamlet(&mut self, name: &str, unit: &str) -> HamletId {
        let id = HamletId(self.team.write("hamlet", &[("name", name.into()), ("unit", unit.into())]));
        self.team.bring(&mut self.phone);
        id
    }

    fn write(&mut self, hamlet: HamletId, label: &str, hint: &str, contact: &str) -> HouseholdId {
        let consent = |text: &str| GivenConsent {
            text: text.parse().expect("a reference"),
            way: 1,
            purposes: None,
            date: None,
        };
        let new = NewHousehold {
            label: label.to_owned(),
            hint: Some(hint.to_owned()),
            hamlet: Some(hamlet),
            poverty: None,
            persons: vec![NewPerson { band: Some(5), sex: Some(1), ..NewPerson::default() }],
            consent: Some(consent("consent.script@1")),
            contact: (!contact.is_empty()).then(|| GivenContact {
                consent: Some(consent("consent.contact@1")),
                person: Some(0),
                display_name: Some(contact.to_owned()),
                phone: None,
                expires_on: None,
            }),
            token: None,
        };
        self.phone.app().households().create_household(new).expect("saves").household
    }

    fn add(&mut self, label: &str, hint: &str, contact: &str) -> HouseholdId {
        self.write(self.team.hamlet, label, hint, contact)
    }

    fn hits(&mut self, text: &str) -> HouseholdHits {
        let find = FindHouseholds { text: text.to_owned(), hamlet: None };
        self.phone.app().households().find_households(find).expect("answers")
    }

    fn labels(&mut self, text: &str) -> Vec<String> {
        self.hits(text).households.into_iter().map(|hit| hit.line.label).collect()
    }
}

#[test]
fn a_name_is_found_with_its_marks_without_them_and_with_the_keys_of_telex_left_in() {
    let mut book = Book::new();
    book.add("Hộ 1", "", "Đặng Văn Đức");
    book.add("Hộ 2", "", "Nguyễn Thị Hường");
    book.add("Hộ 3", "", "Đinh Thị Ư");
    for (text, label) in [
        ("Đặng", "Hộ 1"),
        ("dang", "Hộ 1"),
        ("ddaejng", "Hộ 1"),
        ("duc", "Hộ 1"),
        ("dang van d", "Hộ 1"),
        ("nguyeenx", "Hộ 2"),
        ("nguye6n4", "Hộ 2"),
        ("huong", "Hộ 2"),
        ("hu", "Hộ 2"),
        ("u", "Hộ 3"),
    ] {
        assert_eq!(book.labels(text), [label], "{text}");
    }
    assert!(book.hits("trần").households.is_empty());
}

#[test]
fn two_letter_names_are_found_before_longer_ones_that_begin_so() {
    let mut book = Book::new();
    book.add("Hộ 1", "", "Lý Yên");
    book.add("Hộ 2", "", "Chíu Y");
    book.add("Hộ 3", "", "Lỷ A Sí");
    assert_eq!(book.labels("y"), ["Hộ 2", "Hộ 1"]);
    assert_eq!(book.labels("lỷ"), ["Hộ 3", "Hộ 1"]);
    assert_eq!(book.labels("ly"), ["Hộ 3", "Hộ 1"]);
    assert_eq!(book.labels("sí"), ["Hộ 3"]);
}

#[test]
fn as_written_comes_before_tone_marks_elsewhere_before_no_marks() {
    let mut book = Book::new();
    book.add("Hộ 1", "cạnh nhà Hoa", "");
    book.add("Hộ 2", "cạnh nhà Hoà", "");
    book.add("Hộ 3", "cạnh nhà Hòa", "");
    book.add("Hộ 4", "cạnh nhà Hoàng", "");
    let hits = book.hits("hòa").households;
    let found: Vec<_> = hits.iter().map(|hit| (hit.line.label.as_str(), hit.matched)).collect();
    assert_eq!(
        found,
        [
            ("Hộ 3", HowMatched::Exact),
            ("Hộ 2", HowMatched::Tone),
            ("Hộ 1", HowMatched::Folded),
            ("Hộ 4", HowMatched::Folded),
        ]
    );
    assert_eq!(hits[0].in_hint.first(), Some(&Stretch { start: 9, end: 12 }));
}

#[test]
fn a_number_finds_its_household_first_and_equal_hits_stand_in_walking_order() {
    let mut book = Book::new();
    for number in [112, 12, 120, 2, 1] {
        book.add(&format!("Hộ {number}"), "", "");
    }
    assert_eq!(book.labels("12"), ["Hộ 12", "Hộ 120"]);
    assert_eq!(book.labels("hộ"), ["Hộ 1", "Hộ 2", "Hộ 12", "Hộ 112", "Hộ 120"]);
    let hits = book.hits("hộ 12").households;
    assert_eq!(hits[0].in_label, [Stretch { start: 0, end: 2 }, Stretch { start: 3, end: 5 }]);
    let all = book.phone.app().households().list_households(ListHouseholds::default()).expect("answers");
    let all: Vec<_> = all.households.into_iter().map(|line| line.label).collect();
    assert_eq!(all, ["Hộ 1", "Hộ 2", "Hộ 12", "Hộ 112", "Hộ 120"]);
}

#[test]
fn people_of_one_name_stand_in_the_order_of_vietnamese_names() {
    let mut book = Book::new();
    for (at, name) in
        ["Nguyễn Văn Đạt", "Nguyễn Thị Ánh", "Nguyễn Văn An", "Nguyễn Văn Ân", "Nguyễn Thị Dung"]
            .into_iter()
            .enumerate()
    {
        book.add(&format!("Hộ {at}"), "", name);
    }
    let names: Vec<_> =
        book.hits("nguyen").households.into_iter().filter_map(|hit| hit.line.display_name).collect();
    assert_eq!(
        names,
        ["Nguyễn Văn An", "Nguyễn Thị Ánh", "Nguyễn Văn Ân", "Nguyễn Thị Dung", "Nguyễn Văn Đạt"]
    );
}

#[test]
fn a_hamlet_and_an_old_commune_find_what_lies_there_today() {
    let mut book = Book::new();
    let huc_dong = book.hamlet("Thôn Ngàn Chi", "06859@2024");
    book.add("Hộ 1", "", "");
    book.write(huc_dong, "Hộ 7", "", "");
    let by = |hits: &HouseholdHits| -> Vec<(String, FoundBy)> {
        hits.households.iter().map(|hit: &HouseholdHit| (hit.line.label.clone(), hit.by)).collect()
    };
    assert_eq!(by(&book.hits("ngàn chi")), [("Hộ 7".to_owned(), FoundBy::Hamlet)]);
    assert_eq!(by(&book.hits("ngan")), [("Hộ 7".to_owned(), FoundBy::Hamlet)]);
    let hits = book.hits("Húc Động");
    assert_eq!(hits.units[0].title, "Xã Bình Liêu");
    assert_eq!(hits.units[0].former.as_ref().map(|former| former.title.as_str()), Some("Xã Húc Động"));
    assert_eq!(by(&hits), [("Hộ 7".to_owned(), FoundBy::Unit)]);
    let all = book.hits("huyện Bình Liêu");
    assert!(all.households.len() == 2 && !all.units.is_empty(), "{all:?}");
}

#[test]
fn a_hit_says_what_makes_sure_that_it_is_the_right_one() {
    let mut book = Book::new();
    let household = book.add("Hộ 9", "cạnh trường", "Chìu Sám Múi");
    let hit = book.hits("múi").households.remove(0);
    assert_eq!(hit.line.household, household);
    assert_eq!((hit.by, hit.matched), (FoundBy::Contact, HowMatched::Exact));
    assert_eq!(hit.line.persons[0].band, Some(5));
    assert_eq!(hit.line.display_name.as_deref(), Some("Chìu Sám Múi"));
    assert_eq!((hit.line.last_visit, hit.line.appointment), (None, None));
    let recent = book.phone.app().households().list_recent(Nothing {}).expect("answers");
    assert_eq!(recent.households, [hit.line]);
    let detail = book.phone.app().households().get_household(OfHousehold { household }).expect("answers");
    assert_eq!((detail.persons.len(), detail.consents.len(), detail.contacts.len()), (1, 2, 1));
}

#[test]
fn whatever_is_typed_finds_something_or_nothing_and_never_fails() {
    let mut book = Book::new();
    book.add("Hộ 1", "", "");
    for text in ["", " ", "\"", "*", "a AND b", "hộ OR", "(", "…", "'; DROP TABLE households; --", "0\u{0}1"]
    {
        book.hits(text);
    }
    book.hits(&"á".repeat(5_000));
}
