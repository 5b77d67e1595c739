//! What hub and phones log while they work and while things go wrong holds no name, no number and no note.

#![allow(missing_docs, clippy::unwrap_used, reason = "a failure here is a failed test")]

mod field;

use std::io::Write;
use std::sync::{Arc, Mutex};

use field::link::Break;
use field::{Field, Handset, Link};
use langso_domain::registry::Role;
use langso_sync::wire::{ENROL_PATH, SYNC_PATH};
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

/// Names, numbers and words that come up below; none of them may be read in a log.
const SECRETS: &[&str] = &[
    "Triệu Mùi Chản",
    "Chản",
    "0912345678",
    "0912 345 678",
    "+84912345678",
    "912345678",
    "Chíu Sám Múi",
    "Tằng Dảu Sồi",
    "Ngàn Chi",
    "Hộ 12",
    "cạnh trường",
    "nhà có chó dữ",
    "Oppo A3s",
];

/// Everything that was logged.
#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Page {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Page {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// A household with a name and a number, and a visit with a note.
async fn work(phone: &mut Handset) {
    phone.sync().await.unwrap();
    let both = json!({"text": "consent.script@1", "way": 1});
    let contact = json!({
        "consent": {"text": "consent.contact@1", "way": 1},
        "display_name": "Triệu Mùi Chản", "phone": "0912 345 678",
    });
    let household = json!({
        "label": "Hộ 12", "hint": "cạnh trường", "persons": [{"band": 4}], "consent": both, "contact": contact,
    });
    let household: serde_json::Value = phone.call("households.create_household", household);
    let visit = json!({
        "household": household, "note": "nhà có chó dữ",
        "services": [{"service": "sim_4g@1", "outcome": 1}],
    });
    phone.app().call("visits.log_visit", visit).unwrap();
}

/// What a person is told when an input is refused; it may end in a log of the shell.
fn refused(phone: &mut Handset, name: &str, input: serde_json::Value) -> String {
    let error = phone.app().call(name, input).unwrap_err();
    format!("{error} {error:?} {}\n", serde_json::to_string(&error).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_log_line_and_no_error_holds_a_name_a_number_or_a_note() {
    let page = Page::default();
    let level = tracing_subscriber::filter::LevelFilter::TRACE;
    tracing_subscriber::fmt().json().with_max_level(level).with_writer(page.clone()).init();

    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut phone = field.phone(&team, "Chíu Sám Múi", Role::Member).await;
    let mut lead = field.phone(&team, "Tằng Dảu Sồi", Role::Lead).await;
    work(&mut phone).await;
    phone.link.break_at(Break::Up(700));
    phone.sync().await.unwrap();
    phone.link.break_at(Break::Down(300));
    phone.household("Hộ 12");
    phone.sync().await.unwrap();
    lead.sync().await.unwrap();
    assert_eq!(lead.count("contacts"), 1);

    // Things go wrong: a code used twice, a damaged frame, noise, a phone that was revoked, a hub that stops.
    let member = field.member(&team, "Triệu Mùi Chản", Role::Member);
    let invite = field.invite(&team, member, &phone.link.url());
    for _ in 0..2 {
        let link = Link::to(field.running.addr).await;
        let _ = Handset::new(&field.world, link).join(&invite).await;
    }
    let request = phone.link.take_exchanges().into_iter().rfind(|one| field::http::is_sync(&one.up)).unwrap();
    let mut body = field::http::body(&request.up).0;
    let client = reqwest::Client::new();
    let hub = format!("http://{}", field.running.addr);
    for at in 0..body.len() {
        if at % 7 == 0 {
            body[at] ^= 0x55;
            let sent = client.post(format!("{hub}{SYNC_PATH}")).body(body.clone()).send().await;
            sent.unwrap();
            body[at] ^= 0x55;
        }
    }
    let name = "Triệu Mùi Chản 0912345678";
    client.post(format!("{hub}{ENROL_PATH}")).body(name).send().await.unwrap();
    client.post(format!("{hub}{SYNC_PATH}?name={name}")).body(name).send().await.unwrap();
    client.get(format!("{hub}/{name}")).header("user-agent", "0912345678").send().await.unwrap();
    field.hub().revoke_device(phone.device()).unwrap();
    phone.household("Hộ 12");
    phone.sync().await.unwrap_err();

    let mut told = String::new();
    told += &refused(&mut lead, "households.create_household", json!({"label": name, "name": name}));
    told += &refused(&mut lead, "households.create_household", json!({"label": name, "hint": name}));
    told += &refused(&mut lead, "households.create_household", json!({"label": {"Chản": name}}));
    told += &refused(&mut lead, "households.create_household", json!({"label": "Hộ 12", "persons": "Chản"}));
    told += &refused(
        &mut lead,
        "visits.log_visit",
        json!({"note": name, "services": [{"service": "Chản", "outcome": 1}]}),
    );
    told += &refused(&mut lead, "visits.log_visit", json!({"household": "Chản", "note": name}));
    told += &refused(&mut lead, "enrolment.read_invite", json!({"invite": name, "device_name": "Oppo A3s"}));
    field.restart().await;

    let logged = page.text();
    for expected in ["listening", "frame kept", "frames refused", "refused", "a code was used a second time"]
    {
        assert!(logged.contains(expected), "nothing was logged of {expected:?}");
    }
    assert!(told.contains("never_store") || told.contains("phone"), "{told}");
    for secret in SECRETS {
        assert!(!logged.contains(secret), "the log holds {secret:?}");
        assert!(!told.contains(secret), "an error holds {secret:?}: {told}");
    }
}
