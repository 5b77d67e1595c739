//! Joins that two leads wrote into one row without seeing each other: all of it is one, and can be taken apart.

use langso_domain::id::{HouseholdId, ScopeId};
use langso_domain::indicators::Indicators;
use langso_domain::registry::Role;
use langso_hub::figures::Whose;
use serde_json::json;

use crate::conflict::{set_hint, shelf};
use crate::field::{Field, Handset, Team};

struct Leads {
    field: Field,
    team: Team,
    phones: [Handset; 2],
}

impl Leads {
    async fn new() -> Self {
        let field = Field::start().await;
        let team = field.found("Tổ thôn Ngàn Chi");
        let one = field.phone(&team, "Chíu Sám Múi", Role::Lead).await;
        let other = field.phone(&team, "Hoàng Thị Đượm", Role::Lead).await;
        let mut leads = Self { field, team, phones: [one, other] };
        leads.meet().await;
        leads
    }

    /// Both hear all of each other, and of what the hub wrote.
    async fn meet(&mut self) {
        for _ in 0..2 {
            for phone in &mut self.phones {
                phone.sync().await.unwrap();
            }
            self.field.hub().unite(self.team.scope).unwrap();
        }
        for phone in &mut self.phones {
            phone.sync().await.unwrap();
        }
    }

    fn join(&mut self, at: usize, table: &str, one: &str, other: &str) {
        let joined = json!({"table": table, "one": one, "other": other});
        self.phones[at].app().call("duplicates.merge_rows", joined).unwrap();
    }

    fn take_out(&mut self, at: usize, table: &str, row: &str) {
        self.phones[at].app().call("duplicates.split_merged", json!({"table": table, "row": row})).unwrap();
    }

    fn figure(&self, code: &str) -> Option<i64> {
        self.field.hub().project_all().unwrap();
        let indicators = Indicators::packaged();
        let period = "2024-M06".parse().unwrap();
        self.field
            .hub()
            .sum(indicators.newest(code).unwrap(), period, Whose::Team(self.team.id))
            .unwrap()
            .value
    }

    /// The sets of rows that are one, as both phones have them.
    fn sets(&mut self, table: &str) -> Vec<i64> {
        let sql = format!("SELECT count(*) FROM {table}_identities GROUP BY canonical_id ORDER BY 1");
        let of = |phone: &Handset| -> Vec<i64> {
            let read = phone.read();
            let mut get = read.prepare(&sql).unwrap();
            get.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
        };
        let [one, other] = &mut self.phones;
        assert!(one.rows() == other.rows(), "the phones of a team differ");
        assert_eq!(of(one), of(other));
        of(one)
    }

    fn on_the_shelf(&mut self) -> [u32; 2] {
        self.phones.each_mut().map(|phone| shelf(phone).count)
    }
}

fn visited(phone: &mut Handset, label: &str) -> (HouseholdId, Vec<String>) {
    let consent = json!({"text": "consent.script@1", "way": 1});
    let persons = json!([{"band": 4}, {"band": 4}, {"band": 4}]);
    let new = json!({"label": label, "persons": persons, "consent": consent});
    let made = phone.app().call("households.create_household", new).unwrap();
    let household: HouseholdId = serde_json::from_value(made["household"].clone()).unwrap();
    let persons: Vec<String> = serde_json::from_value(made["persons"].clone()).unwrap();
    let services: Vec<_> =
        persons.iter().map(|person| json!({"service": "sim_4g@1", "outcome": 1, "person": person})).collect();
    phone.app().call("visits.log_visit", json!({"household": household, "services": services})).unwrap();
    (household, persons)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_household_joined_with_another_by_each_of_two_leads_is_one_with_both_and_counted_once() {
    let mut leads = Leads::new().await;
    let [a, b, c] = ["Hộ 1", "Hộ 2", "Hộ 3"].map(|label| visited(&mut leads.phones[0], label).0);
    leads.meet().await;
    assert_eq!(leads.figure("households_visited"), Some(3));
    let names = [a, b, c].map(|row| row.to_string());
    // Both write into the row of the third.
    leads.join(0, "household", &names[0], &names[2]);
    leads.join(1, "household", &names[1], &names[2]);
    leads.meet().await;
    assert_eq!((leads.sets("household"), leads.on_the_shelf()), (vec![3], [0, 0]));
    assert_eq!(leads.figure("households_visited"), Some(1));
    let written = leads.field.keys(leads.team.scope).len();
    leads.meet().await;
    assert_eq!(leads.field.keys(leads.team.scope).len(), written, "done once");

    // Later edits, then one of them is taken out: the others stay one.
    set_hint(&mut leads.phones[1], c, "sau chợ");
    set_hint(&mut leads.phones[0], a, "cạnh trường");
    leads.meet().await;
    leads.take_out(0, "household", &names[2]);
    leads.meet().await;
    assert_eq!((leads.sets("household"), leads.on_the_shelf()), (vec![2], [0, 0]));
    assert_eq!(leads.figure("households_visited"), Some(2));
    leads.take_out(1, "household", &names[0]);
    leads.meet().await;
    assert_eq!((leads.sets("household"), leads.figure("households_visited")), (vec![], Some(3)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_joined_with_another_by_each_of_two_leads_is_one_with_both_and_counted_once() {
    let mut leads = Leads::new().await;
    let (_, persons) = visited(&mut leads.phones[0], "Hộ 1");
    leads.meet().await;
    assert_eq!(leads.figure("persons_helped"), Some(3));
    leads.join(0, "person", &persons[0], &persons[2]);
    leads.join(1, "person", &persons[1], &persons[2]);
    leads.meet().await;
    assert_eq!((leads.sets("person"), leads.figure("persons_helped")), (vec![3], Some(1)));
    leads.take_out(1, "person", &persons[1]);
    leads.meet().await;
    assert_eq!((leads.sets("person"), leads.figure("persons_helped")), (vec![2], Some(2)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_household_joined_by_one_lead_and_taken_apart_by_the_other_waits_for_people() {
    let mut leads = Leads::new().await;
    let [a, b, c] = ["Hộ 1", "Hộ 2", "Hộ 3"].map(|label| visited(&mut leads.phones[0], label).0.to_string());
    leads.join(0, "household", &a, &c);
    leads.meet().await;
    leads.take_out(0, "household", &c);
    leads.take_out(1, "household", &c);
    leads.join(1, "household", &b, &c);
    leads.meet().await;
    assert_eq!(leads.on_the_shelf(), [1, 1]);
    let scope: ScopeId = leads.team.scope;
    assert_eq!(leads.field.hub().unite(scope).unwrap(), 0);
}
