//! From parameters and a seed to a ledger: each team in turn, with numbers that go on from team to team and a
//! stream of chance of its own, so that a change in one team moves nothing in another.

use langso_domain::date::CivilDate;

use super::CampaignError;
use super::codes::{Outcome, Service, SessionKind, TeamKind};
use super::content::Content;
use super::deal::{self, Card, PortalTurns};
use super::farmers::Accounts;
use super::gatherings::{Office, Sessions};
use super::ledger::{Header, Ledger, Span, Team};
use super::parameters::{Parameters, Range};
use super::rng::{SplitMix64, share_out};
use super::rows::Want;
use super::schedule;
use super::tally::tally;
use super::teams;
use super::world::{Numbers, World};

/// What a team is to bring about.
#[derive(Clone, Debug, Default)]
struct Share {
    turns: PortalTurns,
    failures: Vec<Want>,
    others: u32,
    later: u32,
    accounts: u32,
    sales: u32,
    in_vain: u32,
    sets: u32,
    clubs: Vec<usize>,
}

/// Makes the ledger of a campaign. The same parameters and seed always make the same one.
///
/// # Errors
/// [`CampaignError`] when the parameters leave no room for it, or when a published figure's qualifier does not
/// hold for what came out.
pub fn generate(parameters: &Parameters, seed: u64) -> Result<Ledger, CampaignError> {
    let content = Content::packaged()?;
    let (teams, phones) = teams::found(parameters, seed)?;
    let shares = shares(parameters, &content, &teams, seed);
    let (mut numbers, mut events) = (Numbers::default(), Vec::new());
    for (team, share) in teams.iter().zip(&shares) {
        let stream = |purpose| SplitMix64::stream(seed, purpose, u64::from(team.no.0));
        let often = parameters.teams[team.no.index()].syncs_in_ten_weeks;
        let syncs = schedule::syncs(&mut stream("signal"), team, parameters.period, often);
        let mut world = World::new(
            &content,
            team,
            parameters.period,
            &syncs,
            stream("visits"),
            std::mem::take(&mut numbers),
        );
        live(&mut world, parameters, share)?;
        numbers = std::mem::take(&mut world.numbers);
        events.extend(world.into_events(stream("phones")));
    }
    // Stable: what one device did at once keeps its order.
    events.sort_by_key(|event| event.at);
    let header = Header {
        campaign: parameters.code.clone(),
        plan: parameters.plan.clone(),
        seed,
        period: parameters.period,
        half_year: parameters.half_year,
        teams,
        phones,
    };
    let ledger = Ledger { header, events };
    disagreement(parameters, &ledger).map_or(Ok(ledger), |rows| Err(CampaignError::Disagrees { rows }))
}

/// The rows of the first published figure that the ledger does not agree with.
pub fn disagreement(parameters: &Parameters, ledger: &Ledger) -> Option<Vec<String>> {
    let tally = tally(ledger);
    let sum = |rows: &[String]| -> u64 {
        tally.iter().filter(|row| rows.iter().any(|one| one == row.seed_row)).map(|row| row.value).sum()
    };
    let figure = parameters.figures.iter().find(|one| !one.operator.agrees(sum(&one.rows), one.value));
    figure.map(|figure| figure.rows.clone())
}

fn draw(rng: &mut SplitMix64, range: Range) -> u32 {
    rng.within(range.0, range.1)
}

fn is_general(team: &Team) -> bool {
    matches!(team.kind, TeamKind::Hamlet | TeamKind::Youth)
}

fn is_farmers(team: &Team) -> bool {
    team.association.as_deref() == Some("farmers")
}

fn shares(parameters: &Parameters, content: &Content, teams: &[Team], seed: u64) -> Vec<Share> {
    let mut rng = SplitMix64::stream(seed, "totals", 0);
    let volume = &parameters.volume;
    let weights = |takes: &dyn Fn(&Team) -> bool| -> Vec<u32> {
        teams.iter().map(|team| if takes(team) { team.members.len() as u32 } else { 0 }).collect()
    };
    let (general, farmers) = (weights(&is_general), weights(&is_farmers));
    let gives = |team: &Team| {
        let district = &parameters.teams[team.no.index()].district;
        team.kind == TeamKind::Hamlet && parameters.grants.districts.contains(district)
    };
    let logins = draw(&mut rng, volume.first_logins);
    let filings = draw(&mut rng, volume.filings);
    let accounts = draw(&mut rng, volume.accounts);
    let mut shares = vec![Share::default(); teams.len()];
    let mut deal_out = |total: u32, weights: &[u32], put: &dyn Fn(&mut Share, u32)| {
        for (share, part) in shares.iter_mut().zip(share_out(total, weights)) {
            put(share, part);
        }
    };
    deal_out(logins, &general, &|share, part| share.turns.first_logins = part);
    deal_out(filings, &general, &|share, part| share.turns.filings = part);
    deal_out(filings * volume.filed_at_once / 100, &general, &|share, part| share.turns.at_once = part);
    deal_out(logins * volume.portal_other / 100, &general, &|share, part| share.turns.other = part);
    deal_out(draw(&mut rng, volume.other_visits), &general, &|share, part| share.others = part);
    deal_out(draw(&mut rng, volume.later_visits), &general, &|share, part| share.later = part);
    deal_out(accounts, &farmers, &|share, part| share.accounts = part);
    deal_out(draw(&mut rng, volume.sales), &farmers, &|share, part| share.sales = part);
    deal_out(draw(&mut rng, volume.account_failures), &farmers, &|share, part| share.in_vain = part);
    deal_out(parameters.grants.sets, &weights(&gives), &|share, part| share.sets = part);
    let takers: Vec<usize> = (0..teams.len()).filter(|at| is_general(&teams[*at])).collect();
    for (at, (service, step, failure)) in content.every_failure().into_iter().enumerate() {
        let outcome = content.failures[failure].action.outcomes()[0];
        let want = Want { service, outcome, failure: Some((step, failure)) };
        if let Some(team) = takers.get(at % takers.len().max(1)) {
            shares[*team].failures.push(want);
        }
    }
    let takers: Vec<usize> = (0..teams.len()).filter(|at| is_farmers(&teams[*at])).collect();
    for club in 0..parameters.clubs.names.len() {
        if let Some(team) = takers.get(club % takers.len().max(1)) {
            shares[*team].clubs.push(club);
        }
    }
    shares
}

fn live(world: &mut World<'_>, parameters: &Parameters, share: &Share) -> Result<(), CampaignError> {
    let (team, volume) = (world.team, &parameters.volume);
    let mut closed = parameters.holidays.clone();
    closed.push(parameters.grants.days);
    let mut office = Office::new(parameters.period, &closed);
    if is_general(team) {
        live_general(world, parameters, share)?;
    } else if is_farmers(team) {
        let aims = Accounts { accounts: share.accounts, sales: share.sales, failures: share.in_vain };
        world.make_accounts(aims, &parameters.holidays)?;
        let names: Vec<&String> = share.clubs.iter().map(|club| &parameters.clubs.names[*club]).collect();
        world.found_clubs(&mut office, &names, parameters.clubs.members);
    } else {
        let visits = draw(&mut world.rng, volume.union_visits);
        let services = [
            (Service::ScamAwareness, 40),
            (Service::PaymentAccount, 35),
            (Service::SmartphoneUse, 15),
            (Service::InsuranceCard, 10),
        ];
        let mut card = || -> Card {
            let service = world.rng.weighted(&services);
            let outcome = if service == Service::ScamAwareness {
                Outcome::New
            } else {
                world.rng.weighted(&[(Outcome::New, 8), (Outcome::Later, 1), (Outcome::Had, 1)])
            };
            vec![Want::new(service, outcome)]
        };
        let deck: Vec<Card> = (0..visits).map(|_| card()).collect();
        stretch(world, parameters, parameters.period, deck)?;
    }
    hold_sessions(world, parameters, &mut office);
    world.work(&mut office, volume.work_days.0, volume.work_days.1);
    Ok(())
}

fn live_general(world: &mut World<'_>, parameters: &Parameters, share: &Share) -> Result<(), CampaignError> {
    let first = Span { from: parameters.period.from, to: parameters.half_year.to };
    let deck = deal::deck(&mut world.rng, share.turns, &share.failures, share.others, false);
    stretch(world, parameters, first, deck)?;
    let to = if share.sets > 0 { CivilDate(parameters.grants.days.from.0 - 1) } else { parameters.period.to };
    let second = Span { from: CivilDate(parameters.half_year.to.0 + 1), to };
    let deck = deal::deck(&mut world.rng, PortalTurns::default(), &[], share.later, true);
    stretch(world, parameters, second, deck)?;
    let (team, days) = (world.team, parameters.grants.days);
    let slots = schedule::slots(&mut world.rng, team, days, &[], schedule::HAND_OVER, share.sets)?;
    world.hand_over(&slots, &parameters.grants);
    Ok(())
}

fn stretch(
    world: &mut World<'_>,
    parameters: &Parameters,
    span: Span,
    deck: Vec<Card>,
) -> Result<(), CampaignError> {
    let (team, count) = (world.team, deck.len() as u32);
    let slots = schedule::slots(&mut world.rng, team, span, &parameters.holidays, schedule::GENERAL, count)?;
    world.deal(&slots, deck);
    Ok(())
}

fn hold_sessions(world: &mut World<'_>, parameters: &Parameters, office: &mut Office) {
    let (team, volume) = (world.team, &parameters.volume);
    let women = team.association.as_deref() == Some("women");
    let sessions = match team.kind {
        TeamKind::Union if women => Sessions {
            kind: SessionKind::Training,
            count: volume.conferences,
            topics: &[
                "Ứng dụng nền tảng số trong quản lý kinh doanh",
                "Tiêu dùng thông minh trên nền tảng số",
            ],
            organiser: "Hội Phụ nữ tỉnh",
            headcount: (45, 120),
        },
        TeamKind::Union => Sessions {
            kind: SessionKind::Club,
            count: 4,
            topics: &["Đưa nông sản lên sàn", "Chụp ảnh và mô tả sản phẩm"],
            organiser: "Hội Nông dân tỉnh",
            headcount: (25, 75),
        },
        TeamKind::Agency => Sessions {
            kind: SessionKind::Propaganda,
            count: draw(&mut world.rng, volume.propaganda),
            topics: &[
                "Chuyển đổi số cho người dân",
                "Chuyển đổi số cho doanh nghiệp trên Vịnh",
                "An toàn trên mạng",
            ],
            organiser: "Ban Quản lý Vịnh Hạ Long",
            headcount: (12, 80),
        },
        TeamKind::Hamlet | TeamKind::Youth => Sessions {
            kind: SessionKind::Class,
            count: 6,
            topics: &["Dùng điện thoại thông minh", "Phòng, chống lừa đảo trên mạng", "Chuyển SIM sang 4G"],
            organiser: "Tổ công nghệ số cộng đồng",
            headcount: (8, 45),
        },
    };
    world.hold_sessions(office, &sessions);
}
