//! Visits as the tests of visits and of their corrections write them.

use langso_device::AppError;
use langso_device::companion::runs::{NewRun, RunStep};
use langso_device::companion::visits::{CorrectVisit, CorrectedVisit, NewService, NewVisit, SavedVisit};
use langso_domain::id::{HouseholdId, PersonId};

use super::{MEMBER, Team, TestPhone};

pub fn service(person: Option<PersonId>, service: &str, outcome: u8) -> NewService {
    NewService::new(person, service, outcome)
}

pub fn visit(household: Option<HouseholdId>, services: Vec<NewService>) -> NewVisit {
    NewVisit { household, services, ..NewVisit::default() }
}

pub fn correct(phone: &mut TestPhone, correct: CorrectVisit) -> Result<CorrectedVisit, AppError> {
    phone.app().visits().correct_visit(correct)
}

pub fn log(phone: &mut TestPhone, new: NewVisit) -> Result<SavedVisit, AppError> {
    phone.app().visits().log_visit(new)
}

pub fn passed(steps: u8) -> NewRun {
    NewRun {
        tutorial: "T1@1".parse().expect("a reference"),
        steps: (1..=steps).map(|step| RunStep { step, result: 1, failure: None }).collect(),
        phone_model: Some("Oppo A3s".to_owned()),
        os_version: Some("Android 8".to_owned()),
        minutes: Some(35),
        teach_back: true,
    }
}

pub fn team_with_household() -> (Team, TestPhone, HouseholdId, Vec<PersonId>) {
    let mut team = Team::new();
    let mut phone = team.enrol("Lý Thị Sáu", MEMBER);
    team.bring(&mut phone);
    let (household, persons) = phone.household(&team, "Hộ 12", 2);
    (team, phone, household, persons)
}
