//! Who may write what: a change is judged by the tables it writes, the kind of its scope and its author's role.
//!
//! Pure. The hub never refuses honest work: what is judged wrong here waits for the lead.

use langso_domain::registry::{Registry, Role, ScopeKind};

use crate::log::{Reason, Tables};

/// Whether a role may write these tables in a scope of this kind. Tables this hub does not know are a newer
/// program's: who may write anything in the scope may write them.
///
/// # Errors
/// [`Reason::BeyondRole`].
pub fn judge(registry: &Registry, kind: ScopeKind, role: Role, tables: Tables) -> Result<(), Reason> {
    let may = |number: u8| match registry.table(number) {
        Some(table) => table.scope == kind && table.writers.has(role),
        None => may_write_unknown(kind, role),
    };
    if tables.iter().all(may) { Ok(()) } else { Err(Reason::BeyondRole) }
}

/// Whether a lead may say that a change of these tables counts in a scope of this kind. Who is in a team, with which phone
/// and in which scopes, is for the operator alone.
pub fn may_lead_admit(registry: &Registry, kind: ScopeKind, tables: Tables) -> bool {
    const OF_THE_OPERATOR: [&str; 4] = ["team", "member", "device", "team_scope"];
    tables.iter().all(|number| match registry.table(number) {
        Some(table) => table.scope == kind && !OF_THE_OPERATOR.contains(&table.name),
        None => may_write_unknown(kind, Role::Lead),
    })
}

/// Whether a role may read a scope of this kind at all: trainers and officers see no household, whatever they hold.
pub fn may_read(kind: ScopeKind, role: Role) -> bool {
    match kind {
        ScopeKind::Team => matches!(role, Role::Member | Role::Deputy | Role::Lead),
        ScopeKind::Training => role != Role::Officer,
        ScopeKind::Place | ScopeKind::Reference => true,
    }
}

fn may_write_unknown(kind: ScopeKind, role: Role) -> bool {
    match role {
        Role::Hub => true,
        Role::Member | Role::Deputy | Role::Lead => matches!(kind, ScopeKind::Team | ScopeKind::Training),
        Role::Trainer => kind == ScopeKind::Training,
        Role::Officer => false,
    }
}

#[cfg(test)]
mod tests {
    use langso_domain::registry::CURRENT;

    use super::*;

    fn judged(kind: ScopeKind, role: Role, names: &[&str]) -> Result<(), Reason> {
        let mut tables = Tables::default();
        names.iter().for_each(|name| tables.add(CURRENT.named(name).expect("a table").number));
        judge(&CURRENT, kind, role, tables)
    }

    #[test]
    fn a_member_writes_visits_and_no_roster() {
        assert_eq!(judged(ScopeKind::Team, Role::Member, &["visit", "service_row", "contact"]), Ok(()));
        assert_eq!(judged(ScopeKind::Team, Role::Member, &["visit", "member"]), Err(Reason::BeyondRole));
        assert_eq!(judged(ScopeKind::Training, Role::Member, &["review"]), Err(Reason::BeyondRole));
    }

    #[test]
    fn a_trainer_reviews_runs_and_writes_no_visit() {
        assert_eq!(judged(ScopeKind::Training, Role::Trainer, &["review"]), Ok(()));
        assert_eq!(judged(ScopeKind::Team, Role::Trainer, &["visit"]), Err(Reason::BeyondRole));
    }

    #[test]
    fn a_table_lives_in_its_kind_of_scope_only() {
        assert_eq!(judged(ScopeKind::Training, Role::Member, &["visit"]), Err(Reason::BeyondRole));
        assert_eq!(judged(ScopeKind::Place, Role::Hub, &["team"]), Err(Reason::BeyondRole));
    }

    #[test]
    fn a_newer_programs_table_is_taken_from_who_may_write_there() {
        let mut tables = Tables::default();
        tables.add(200);
        assert_eq!(judge(&CURRENT, ScopeKind::Team, Role::Member, tables), Ok(()));
        assert_eq!(judge(&CURRENT, ScopeKind::Team, Role::Officer, tables), Err(Reason::BeyondRole));
    }
}
