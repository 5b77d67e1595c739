//! Teams, members and phones from their plans.

use langso_domain::date::CivilDate;

use super::CampaignError;
use super::codes::{Role, Sex};
use super::ledger::{Hamlet, HamletNo, Member, MemberNo, Phone, PhoneNo, Team, TeamNo};
use super::parameters::{Parameters, TeamPlan};
use super::people;
use super::rng::SplitMix64;

/// All teams and phones, numbered in the order of their plans.
pub(super) fn found(parameters: &Parameters, seed: u64) -> Result<(Vec<Team>, Vec<Phone>), CampaignError> {
    let (mut teams, mut phones, mut hamlets) = (Vec::new(), Vec::new(), 0);
    let mut rng = SplitMix64::stream(seed, "members", 0);
    let mut taken = Vec::new();
    for (no, plan) in (0u8..).map(TeamNo).zip(&parameters.teams) {
        let founded_on = CivilDate::parse_iso(&plan.founded_on)
            .filter(|day| *day < parameters.period.from)
            .ok_or(CampaignError::Plan { team: no })?;
        if plan.phones == 0 || plan.shared > plan.phones || plan.hamlets.is_empty() || plan.names.is_empty() {
            return Err(CampaignError::Plan { team: no });
        }
        let members = members(&mut rng, plan, phones.len() as u8, &mut taken);
        for at in 0..plan.phones {
            let phone = PhoneNo(phones.len() as u8);
            let users = (0u8..).map(MemberNo).zip(&members).filter(|(_, member)| member.phone == phone);
            let wrong = plan.wrong_clocks.iter().find(|(wrong, _)| *wrong == at);
            phones.push(Phone {
                no: phone,
                team: no,
                members: users.map(|(member, _)| member).collect(),
                clock_offset_ms: wrong.map_or(0, |(_, seconds)| seconds * 1_000),
            });
        }
        let hamlets = plan.hamlets.iter().map(|hamlet| {
            hamlets += 1;
            Hamlet {
                no: HamletNo(hamlets - 1),
                name: hamlet.name.clone(),
                unit: hamlet.unit.clone(),
                language: hamlet.language,
                signal: hamlet.signal,
                household_total: hamlet.household_total,
            }
        });
        let hamlets: Vec<Hamlet> = hamlets.collect();
        let mut units: Vec<String> = Vec::new();
        for hamlet in &hamlets {
            if !units.contains(&hamlet.unit) {
                units.push(hamlet.unit.clone());
            }
        }
        teams.push(Team {
            no,
            name: plan.name.clone(),
            kind: plan.kind,
            association: plan.association.clone(),
            units,
            founded_on,
            hamlets,
            members,
            no_signal: plan.no_signal.clone(),
        });
    }
    Ok((teams, phones))
}

/// One member a phone, and a second one for each shared phone, from the team's last phone back.
fn members(rng: &mut SplitMix64, plan: &TeamPlan, first_phone: u8, taken: &mut Vec<String>) -> Vec<Member> {
    let own = 0..plan.phones;
    let second = (plan.phones - plan.shared)..plan.phones;
    let phones: Vec<u8> = own.chain(second).collect();
    let total = phones.len();
    let mut members = Vec::with_capacity(total);
    for (at, phone) in phones.into_iter().enumerate() {
        let role = match at {
            0 => Role::Lead,
            1 if total > 3 => Role::Deputy,
            _ => Role::Member,
        };
        let mut name;
        loop {
            let language = plan.names[rng.below(plan.names.len() as u32) as usize];
            let women = plan.association.as_deref() == Some("women");
            let sex = if women || rng.chance(50) { Sex::Female } else { Sex::Male };
            name = people::name(rng, language, sex);
            if !taken.contains(&name) {
                break;
            }
        }
        taken.push(name.clone());
        members.push(Member { name, role, phone: PhoneNo(first_phone + phone) });
    }
    members
}
