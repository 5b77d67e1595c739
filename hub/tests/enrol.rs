//! Enrolment over HTTP, and what the hub's log files hold of people: nothing.

#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod support;

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex};

use langso_domain::date::CivilDate;
use langso_domain::id::Key;
use langso_domain::registry::Role;
use langso_domain::units::UnitCode;
use langso_hub::admin::{AdminError, NewHamlet, NewMember, NewTeam};
use langso_hub::clock::HOUR_MS;
use langso_hub::log::Team;
use langso_sync::change::RowOp;
use langso_sync::value::Value;
use langso_sync::wire::{ENROL_PATH, Enrol, Problem, ProblemBody, SYNC_PATH, SignedGet};
use support::http::{Site, request};
use support::{Phone, change, frame, table};

const NAME: &str = "Lỷ Thị Múi";
const NUMBER: &str = "0912345678";
const TEAM: &str = "Tổ công nghệ số cộng đồng thôn Lục Ngù";

fn team(site: &Site) -> Team {
    let unit = UnitCode::parse("06859@2024").unwrap();
    let hamlet =
        NewHamlet {
            name: "Thôn Lục Ngù".into(), unit, language: None, signal: None, household_total: None
        };
    let founded_on = CivilDate::parse_iso("2022-05-12").unwrap();
    let new = NewTeam { name: TEAM.into(), kind: "hamlet".into(), unit, founded_on, hamlets: vec![hamlet] };
    site.hub().make_team(&new).unwrap()
}

fn code(site: &Site, team: &Team) -> [u8; 16] {
    let from = CivilDate::parse_iso("2022-05-12").unwrap();
    let member = NewMember { name: NAME.into(), role: Role::Lead, from };
    let member = site.hub().add_member(team.id, &member).unwrap();
    site.hub().make_code(team.id, member, "http://hub.example").unwrap().invite.secret
}

async fn asks(site: &Site, phone: &Phone, code: [u8; 16]) -> (u16, Option<Problem>) {
    let body = Enrol::new(code, phone.key.public(), NAME, "Cái Cẩm C41", "test").encode(&phone.key);
    let (status, answer) = site.post(ENROL_PATH, body).await;
    (status, ProblemBody::decode(&answer).ok().map(|body| body.problem))
}

#[tokio::test]
async fn a_code_that_does_not_hold_says_why() {
    let site = Site::start().await;
    let made = team(&site);
    let (first, late) = (code(&site, &made), code(&site, &made));
    let (lan, thief) = (Phone::new(1), Phone::new(2));
    assert_eq!(asks(&site, &lan, [0; 16]).await, (404, Some(Problem::CodeUnknown)));
    assert_eq!(asks(&site, &lan, first).await, (200, None));
    assert_eq!(asks(&site, &thief, first).await, (409, Some(Problem::CodeUsed)));
    assert_eq!(asks(&site, &lan, first).await, (200, None), "the reply may have been lost");
    site.hands.forward(72 * HOUR_MS);
    assert_eq!(asks(&site, &thief, late).await, (410, Some(Problem::CodeExpired)));
    let codes = site.hub().list_codes(made.id).unwrap();
    assert_eq!(codes.iter().filter(|code| code.tried_again.is_some()).count(), 1);
    let mut forged = Enrol::new(late, thief.key.public(), "a", "b", "c").encode(&thief.key);
    forged[3] ^= 1;
    let (status, answer) = site.post(ENROL_PATH, forged).await;
    assert_eq!((status, ProblemBody::decode(&answer).unwrap().problem), (401, Problem::BadSignature));
}

/// Where a test's log goes.
#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_log_line_holds_a_name_a_number_or_a_secret() {
    let page = Page::default();
    let writer = page.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .init();
    let site = Site::start().await;
    let made = team(&site);
    let (secret, lan, thief) = (code(&site, &made), Phone::new(1), Phone::new(2));
    assert_eq!(asks(&site, &lan, secret).await.0, 200);
    assert_eq!(asks(&site, &thief, secret).await.0, 409);

    // A contact that is kept, one that waits for the lead, one that is forged, and keys that come with other bytes.
    let contact = |seq: u32, tables: &[&str]| {
        let writer = lan.writer(made.scope);
        let mut one = change(Key { writer, seq }, tables, Value::Text(NAME.into()));
        let fields = BTreeMap::from([(4, Value::Text(NAME.into())), (5, Value::Text(NUMBER.into()))]);
        one.rows.push(RowOp { table: table("contact"), fields, patch: None });
        one
    };
    let signed = |one: &langso_sync::change::Change| frame(&lan.key, made.scope, [one.encode()]);
    let other = change(contact(1, &[]).key, &["household"], Value::Text(NUMBER.into()));
    let mut forged = signed(&contact(3, &[]));
    let last = forged.len() - 1;
    forged[last] ^= 1;
    let frames = [signed(&contact(1, &[])), signed(&contact(2, &["member"])), signed(&other), forged];
    let (status, _) = site.post(SYNC_PATH, request(&lan, &site.nonce(&lan), &frames)).await;
    assert_eq!(status, 400, "the forged one is its own");
    assert_eq!(site.hub().list_waiting().unwrap().len(), 2);

    let target = "/v1/figures?period=2024-Y";
    let header = SignedGet::sign(&lan.key, site.nonce(&lan), target).to_string();
    let url = format!("http://{}{target}", site.running.addr);
    let answer = site.client.get(url).header("authorization", header.clone()).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let stock = format!("unit,indicator,operator,value,denominator,source,date\n{NAME},{NUMBER},=,1,,x,y\n");
    assert!(matches!(site.hub().import_stock(&stock), Err(AdminError::Stock(_))));
    site.hub().project_all().unwrap();
    site.running.shutdown().await.unwrap();

    let told = String::from_utf8(page.0.lock().unwrap().clone()).unwrap();
    assert!(told.contains("frame kept") && told.contains("frames refused") && told.contains("a second time"));
    let secret = langso_domain::id::to_base32(&secret);
    let proof = header.rsplit('.').next().unwrap();
    for word in [NAME, "Múi", NUMBER, "912345678", TEAM, "Lục Ngù", secret.as_str(), proof] {
        assert!(!told.contains(word), "{word} in the log");
    }
}
