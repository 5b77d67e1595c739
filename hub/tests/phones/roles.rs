//! Trainers and officers see no household, by no request.

use std::collections::BTreeSet;

use langso_domain::id::ScopeId;
use langso_domain::registry::{Role, ScopeKind};
use langso_hub::log::Reason;
use langso_sync::wire::{ReplyEvent, ReplyReader};
use rusqlite::Connection;

use crate::field::link::Exchange;
use crate::field::{Field, Handset, Team, http};

/// Everything a reply says of scopes: those of its frames, and those it counts as the device's.
fn scopes_of(exchange: &Exchange) -> BTreeSet<ScopeId> {
    let asked = http::asked(&exchange.up).0;
    let asked = asked.map(|hello| hello.cursors).unwrap_or_default();
    let mut scopes: BTreeSet<_> = exchange.served().iter().map(|frame| frame.header.scope).collect();
    let mut reader = ReplyReader::default();
    reader.push(&http::body(&exchange.down).0);
    while let Ok(Some(event)) = reader.next_event() {
        match event {
            ReplyEvent::Head(head) => {
                scopes.extend(head.joined.iter().map(|(scope, _)| *scope));
                scopes.extend(head.receipts.iter().map(|of| asked[of.scope].0));
            }
            ReplyEvent::End(end) => scopes.extend(end.cursors.iter().map(|(scope, _)| *scope)),
            ReplyEvent::Frame(_) | ReplyEvent::Problem(_) => {}
        }
    }
    scopes
}

/// Makes a phone ask for a scope that nobody gave it.
fn ask_for(phone: &mut Handset, scope: ScopeId, kind: ScopeKind) {
    phone.close();
    let file = Connection::open(phone.file()).unwrap();
    file.execute("INSERT INTO scopes (scope, kind, chain) VALUES (?1, ?2, ?1)", (scope.0, kind as i64))
        .unwrap();
}

/// A lead and a member have worked, and their work is at the hub.
async fn worked(field: &Field) -> (Team, Handset) {
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut member = field.phone(&team, "Chíu Sám Múi", Role::Member).await;
    member.sync().await.unwrap();
    member.household("Hộ 12");
    member.visit(&team);
    member.sync().await.unwrap();
    (team, member)
}

async fn sees_only(field: &Field, phone: &mut Handset, team: &Team, may_see: &[ScopeId]) {
    phone.sync().await.unwrap();
    ask_for(phone, team.scope, ScopeKind::Team);
    phone.sync().await.unwrap();
    // Nor by pushing into it: the work is kept for the lead, and nothing comes back with it.
    phone.save(|saving| saving.create("household", [("label", "Hộ 99".into())]));
    phone.sync().await.unwrap();
    let waiting = field.log().list_set_aside(team.scope).unwrap();
    let reasons: Vec<&str> = waiting.iter().map(|one| one.reason.as_str()).collect();
    assert_eq!(reasons, [Reason::OutOfScope.code()]);

    let exchanges = phone.link.take_exchanges();
    assert!(exchanges.iter().filter(|exchange| http::is_sync(&exchange.up)).count() >= 3);
    let heard: BTreeSet<ScopeId> = exchanges.iter().flat_map(scopes_of).collect();
    assert!(!heard.contains(&team.scope));
    assert!(heard.iter().all(|scope| may_see.contains(scope)), "{heard:?}");
    assert_eq!((phone.count("visits"), phone.count("service_rows")), (0, 0));
    assert_eq!(phone.count("households"), 1, "the one that it wrote itself");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trainers_device_never_receives_a_team_frame() {
    let field = Field::start().await;
    let (team, mut member) = worked(&field).await;
    let mut trainer = field.phone(&team, "Nguyễn Trần Vĩnh Thụy", Role::Trainer).await;
    let places: Vec<ScopeId> = field.hub().list_places().unwrap().iter().map(|place| place.scope).collect();
    let may_see = [&places[..], &[team.training, field.hub().reference]].concat();
    sees_only(&field, &mut trainer, &team, &may_see).await;
    assert_eq!(trainer.count("checklist_runs"), 1, "what a trainer is for");
    let before = member.rows();
    member.sync().await.unwrap();
    assert_eq!(member.count("households"), 1, "what was pushed shows to nobody");
    assert_eq!(before["households"], member.rows()["households"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_officers_device_receives_neither_team_nor_training_frames() {
    let field = Field::start().await;
    let (team, _member) = worked(&field).await;
    let mut officer = field.phone(&team, "Trần Văn Bình", Role::Officer).await;
    let places: Vec<ScopeId> = field.hub().list_places().unwrap().iter().map(|place| place.scope).collect();
    let may_see = [&places[..], &[field.hub().reference]].concat();
    ask_for(&mut officer, team.training, ScopeKind::Training);
    sees_only(&field, &mut officer, &team, &may_see).await;
    assert_eq!(officer.count("checklist_runs"), 0);
}
