//! A hub whose history is not the one that a phone has seen.

use langso_device::AppError;
use langso_device::companion::Nothing;
use langso_domain::registry::Role;
use rusqlite::Connection;

use crate::field::Field;

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_of_another_history_is_said_and_what_was_saved_meanwhile_still_arrives() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut member = field.phone(&team, "Chíu Sám Múi", Role::Member).await;
    member.sync().await.unwrap();
    member.visit(&team);
    member.sync().await.unwrap();
    let before = member.app().sync().get_status(Nothing {}).unwrap();
    member.visit(&team);
    member.close();
    let file = Connection::open(member.file()).unwrap();
    file.execute("UPDATE scopes SET chain = zeroblob(8) WHERE scope = ?1", [team.scope.0]).unwrap();
    drop(file);
    let said = member.sync().await.unwrap_err();
    assert_eq!(said, AppError::Offline { why: "other_history".to_owned() });
    let after = member.app().sync().get_status(Nothing {}).unwrap();
    assert_eq!(after.last_success_at, before.last_success_at, "no sync came to its end");
    assert_eq!(member.count("visits"), 2);
    let written = member.written();
    field.holds_once(team.scope, written.iter().filter(|(of, ..)| *of == team.scope).map(|(_, key, _)| key));
}
