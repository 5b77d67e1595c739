//! What a team's members call things, and the rows that these became on their phones.

use std::collections::HashMap;

use langso_device::Companion;
use langso_device::companion::Nothing;
use langso_device::companion::team::FindPlans;
use langso_domain::id::{
    ConsentId, FollowUpId, GroupId, HamletId, HouseholdId, MemberId, PersonId, PlanId, VisitId,
};

use super::DemoError;
use crate::campaign::ledger::{
    ConsentNo, FollowUpNo, GroupNo, HamletNo, HouseholdNo, MemberNo, PersonNo, Team, VisitNo,
};

/// Numbers of the ledger to rows. Rows are named on every phone of a team alike; whether a phone has one is for the
/// phone to say.
#[derive(Default)]
pub(super) struct Book {
    pub plan: Option<PlanId>,
    members: Vec<MemberId>,
    hamlets: HashMap<HamletNo, HamletId>,
    pub households: HashMap<HouseholdNo, HouseholdId>,
    pub persons: HashMap<PersonNo, PersonId>,
    pub consents: HashMap<ConsentNo, ConsentId>,
    pub visits: HashMap<VisitNo, VisitId>,
    pub follow_ups: HashMap<FollowUpNo, FollowUpId>,
    pub groups: HashMap<GroupNo, GroupId>,
}

impl Book {
    /// What the hub has written for the team, found by its names as people find it.
    pub fn read(app: &Companion, team: &Team, plan: &str) -> Result<Self, DemoError> {
        let mut book = Self::default();
        let plans = app.team().list_plans(FindPlans::default())?.plans;
        book.plan = plans.iter().find(|one| one.name == plan).map(|one| one.plan);
        let known = app.team().list_members(Nothing {})?.members;
        for member in &team.members {
            let found = known.iter().find(|one| one.name == member.name);
            book.members.push(found.ok_or(DemoError::Unexpected("a member who is not in the team"))?.member);
        }
        for hamlet in app.units().list_hamlets(Nothing {})?.hamlets {
            let no = team.hamlets.iter().find(|one| one.name == hamlet.name).map(|one| one.no);
            book.hamlets.extend(no.map(|no| (no, hamlet.hamlet)));
        }
        if book.plan.is_none() || book.hamlets.len() != team.hamlets.len() {
            return Err(DemoError::Unexpected("a team without its plan or hamlets"));
        }
        Ok(book)
    }

    pub fn member(&self, no: MemberNo) -> MemberId {
        self.members[no.index()]
    }

    pub fn hamlet(&self, no: HamletNo) -> Option<HamletId> {
        self.hamlets.get(&no).copied()
    }
}
