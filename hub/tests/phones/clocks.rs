//! Clocks that are a year wrong, a phone's or the hub's own: work arrives, edits win as they should, nobody catches it.

use langso_device::AppError;
use langso_device::companion::Day;
use langso_device::companion::events::NewWorkDay;
use langso_device::companion::figures::Asked;
use langso_domain::date::CivilDate;
use langso_domain::registry::Role;
use langso_hub::clock::DAY_MS;
use langso_sync::change::{self, Change};

use crate::conflict::{hint, set_hint, shelf, values};
use crate::field::time::YEAR_MS;
use crate::field::{Field, Handset, Team};

/// The newest change of a phone.
fn newest(phone: &Handset) -> Change {
    let written = phone.written();
    Change::decode(&written.last().unwrap().2).unwrap()
}

fn newest_ms(phone: &Handset) -> i64 {
    newest(phone).stamp.ms() as i64
}

fn is_marked(phone: &Handset) -> bool {
    newest(phone).extras.contains_key(&change::extra::CLOCK_UNSURE)
}

/// A half-day without a visit on that day.
fn work_day(phone: &mut Handset, at_ms: i64) -> Result<(), AppError> {
    let day = NewWorkDay {
        date: Day(CivilDate::at(at_ms)),
        half: 1,
        reason: "Sắp xếp hồ sơ".to_owned(),
        member: None,
        plan: None,
        token: None,
    };
    phone.app().events().log_work_day(day).map(drop)
}

/// The person-days of June 2024 as the lead sees them.
fn person_days(lead: &mut Handset) -> Option<i64> {
    let asked = Asked { period: Some("2024-M06".to_owned()), ..Asked::default() };
    let page = lead.app().figures().list_figures(asked).unwrap();
    page.activity.iter().find(|row| row.indicator == "person_days@1").unwrap().value
}

async fn trio(field: &Field) -> (Team, [Handset; 3]) {
    let team = field.found("Tổ thôn Ngàn Chi");
    let member = field.phone(&team, "Chíu Sám Múi", Role::Member).await;
    let lead = field.phone(&team, "Tằng Dảu Sồi", Role::Lead).await;
    let third = field.phone(&team, "Lỷ A Nhì", Role::Member).await;
    (team, [member, lead, third])
}

async fn sync_all(phones: &mut [Handset; 3]) {
    // Twice, so that the first hears of what the last has sent.
    for _ in 0..2 {
        for phone in phones.iter_mut() {
            phone.sync().await.unwrap();
        }
    }
}

fn all_hold_the_same(phones: &mut [Handset; 3]) {
    let [one, two, three] = phones;
    let rows = one.rows();
    assert!(rows == two.rows() && rows == three.rows(), "the phones of a team differ");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_with_a_clock_a_year_ahead_harms_nobody() {
    let field = Field::start().await;
    let (team, mut phones) = trio(&field).await;
    let household = phones[1].household("Hộ 12");
    sync_all(&mut phones).await;
    let [member, lead, third] = &mut phones;

    // Set by hand and switched off and on, so that the hub's word no longer helps.
    member.time.set_off(YEAR_MS);
    member.time.reboot();
    let ahead = field.world.now() + YEAR_MS;
    work_day(member, ahead).unwrap();
    assert!(is_marked(member));
    set_hint(member, household, "cạnh trường");
    assert!(newest_ms(member) >= ahead, "the clock was a year ahead");
    set_hint(third, household, "trước nhà văn hóa");
    let here = field.world.now() + DAY_MS;
    assert!(newest_ms(third) <= here);

    // The work arrives, its version is marked, and whoever saw it beats it.
    member.sync().await.unwrap();
    third.sync().await.unwrap();
    lead.sync().await.unwrap();
    let conflict = shelf(lead).conflicts.remove(0);
    assert_eq!(values(&conflict).len(), 2);
    let marked: Vec<bool> = conflict.versions.iter().map(|version| version.is_clock_ahead).collect();
    assert_eq!(marked, [true, false]);
    set_hint(lead, household, "sau chợ");
    assert!(newest_ms(lead) >= ahead, "an edit is later than what its author saw");
    sync_all(&mut phones).await;
    for phone in &mut phones {
        assert_eq!(hint(phone, household).as_deref(), Some("sau chợ"));
        assert_eq!(shelf(phone).count, 0);
    }

    // Nobody has caught the clock, and the phone itself is well again.
    for phone in &mut phones {
        phone.household("Hộ 13");
        assert!(newest_ms(phone) <= here, "stamped {} ms ahead", newest_ms(phone) - here);
    }
    sync_all(&mut phones).await;
    all_hold_the_same(&mut phones);
    for phone in &phones {
        field.holds_once(team.scope, &phone.written_keys());
    }

    let [member, ..] = &mut phones;
    member.time.set_off(0);
    member.sync().await.unwrap();
    assert_eq!(
        work_day(member, ahead),
        Err(AppError::InvalidInput { field: "date".to_owned(), code: "future_date".to_owned() })
    );
}

/// Work under a hub whose clock is that far off, before and after somebody sets it right.
async fn live_with_a_hub_off(off: i64, is_wrong_from_the_start: bool) {
    let field = Field::start().await;
    if is_wrong_from_the_start {
        field.world.set_hub_off(off);
    }
    let (team, mut phones) = trio(&field).await;
    let household = phones[0].household("Hộ 12");
    sync_all(&mut phones).await;
    field.world.set_hub_off(off);
    sync_all(&mut phones).await;

    let [member, lead, _] = &mut phones;
    let today = field.world.now();
    work_day(member, today).unwrap();
    assert!(is_marked(member), "two clocks disagree, and nobody knows which one is right");
    set_hint(member, household, "cạnh trường");
    member.sync().await.unwrap();
    lead.sync().await.unwrap();
    set_hint(lead, household, "sau chợ");
    sync_all(&mut phones).await;
    for phone in &mut phones {
        assert_eq!(hint(phone, household).as_deref(), Some("sau chợ"));
        let status = phone.app().sync().get_status(Default::default()).unwrap();
        assert_eq!((status.on_phone, status.set_aside), (0, 0));
    }

    field.world.set_hub_off(0);
    field.world.pass(60_000);
    let mut newcomer = field.phone(&team, "Bàn Thị Hoa", Role::Member).await;
    sync_all(&mut phones).await;
    newcomer.sync().await.unwrap();
    set_hint(&mut newcomer, household, "đầu thôn");
    newcomer.sync().await.unwrap();
    sync_all(&mut phones).await;
    let [member, ..] = &mut phones;
    work_day(member, today).unwrap();
    assert!(!is_marked(member));
    for phone in &mut phones {
        assert_eq!(hint(phone, household).as_deref(), Some("đầu thôn"));
        phone.household("Hộ 13");
        let gone = newest_ms(phone) - field.world.now();
        assert!(gone.abs() <= DAY_MS, "still {gone} ms off");
        phone.sync().await.unwrap();
        let status = phone.app().sync().get_status(Default::default()).unwrap();
        assert_eq!((status.on_phone, status.set_aside), (0, 0));
        field.holds_once(team.scope, &phone.written_keys());
    }
    sync_all(&mut phones).await;
    all_hold_the_same(&mut phones);
    assert_eq!(person_days(&mut phones[1]), Some(1), "a member, a day");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_with_a_clock_a_year_ahead_harms_nobody() {
    live_with_a_hub_off(YEAR_MS, true).await;
    live_with_a_hub_off(YEAR_MS, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_with_a_clock_a_year_behind_harms_nobody() {
    live_with_a_hub_off(-YEAR_MS, true).await;
    live_with_a_hub_off(-YEAR_MS, false).await;
}
