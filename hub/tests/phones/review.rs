//! A tutorial walked with a citizen, kept with its visit, sent back by a trainer, answered and approved.

use langso_device::Result;
use langso_domain::registry::Role;
use serde_json::{Value, json};

use crate::field::{Field, Handset};

fn ask(phone: &mut Handset, name: &str, input: Value) -> Result<Value> {
    phone.app().call(name, input)
}

fn today(phone: &mut Handset) -> Value {
    ask(phone, "today.get_day", json!({})).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checklist_goes_from_its_first_step_to_a_trainers_approval_and_back() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut member = field.phone(&team, "Chíu Sám Múi", Role::Member).await;
    let mut trainer = field.phone(&team, "Nguyễn Trần Vĩnh Thụy", Role::Trainer).await;
    member.sync().await.unwrap();

    let run = ask(&mut member, "checklists.start_run", json!({"tutorial": "T1"})).unwrap()["run"].clone();
    ask(&mut member, "checklists.record_step", json!({"run": run, "did": "pass"})).unwrap();
    member.close();
    let went_on = ask(&mut member, "checklists.get_run", json!({"run": run})).unwrap();
    assert_eq!(went_on["at"], 2, "the app was closed in between");
    for _ in 2..=12 {
        ask(&mut member, "checklists.record_step", json!({"run": run, "did": "pass"})).unwrap();
    }
    assert_eq!(today(&mut member)["open_runs"].as_array().map(Vec::len), Some(1));
    let end = json!({"run": run, "phone_model": "Oppo A3s", "teach_back": true});
    let summary = ask(&mut member, "checklists.finish_run", end).unwrap();
    let filled = &summary["services"][0];
    let service = json!({
        "service": filled["service"], "outcome": filled["outcome"], "run_draft": summary["run_draft"]
    });
    let visit = json!({"hamlet": team.hamlet, "services": [service]});
    let saved = ask(&mut member, "visits.log_visit", visit).unwrap();
    let run = saved["runs"][0].clone();
    assert_eq!(today(&mut member)["open_runs"], json!([]), "the visit took it over");
    assert_eq!(today(&mut member)["done"][0]["receipt"]["rung"], "on_phone");
    member.sync().await.unwrap();
    assert_eq!(today(&mut member)["done"][0]["receipt"]["rung"], "at_hub");
    assert_eq!(today(&mut member)["status"]["unarrived_changes"], 0);

    trainer.sync().await.unwrap();
    let waiting = ask(&mut trainer, "reviews.list_waiting", json!({})).unwrap();
    assert_eq!((&waiting["runs"][0]["run"], &waiting["count"]), (&run, &json!(1)));
    let comment = json!({"run": run, "comment": "Ghi rõ vướng ở bước nào"});
    ask(&mut trainer, "reviews.send_back_run", comment).unwrap();
    trainer.sync().await.unwrap();

    member.sync().await.unwrap();
    assert_eq!(today(&mut member)["returned_runs"], 1);
    let answer = json!({"run": run, "answer": "Không vướng bước nào"});
    ask(&mut member, "checklists.answer_review", answer).unwrap();
    assert_eq!(today(&mut member)["returned_runs"], 0);
    member.sync().await.unwrap();

    trainer.sync().await.unwrap();
    let waiting = ask(&mut trainer, "reviews.list_waiting", json!({})).unwrap();
    assert_eq!(waiting["runs"][0]["is_answered"], true);
    let told = ask(&mut trainer, "reviews.get_review", json!({"run": run})).unwrap();
    assert_eq!(told["answers"][0]["answer"], "Không vướng bước nào");
    ask(&mut trainer, "reviews.approve_run", json!({"run": run})).unwrap();
    trainer.sync().await.unwrap();

    member.sync().await.unwrap();
    let month = ask(&mut member, "me.get_month", json!({})).unwrap();
    assert_eq!((&month["runs"], &month["runs_approved"]), (&json!(1), &json!(1)));
    assert_eq!(trainer.count("visits"), 0);
}
