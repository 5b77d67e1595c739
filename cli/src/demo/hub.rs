//! The hub's process: the product's own server on a free loopback port, an operator who sets up teams, and a clock
//! that shows what it is told.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use langso_domain::registry::Role;
use langso_domain::units::UnitCode;
use langso_hub::admin::{NewHamlet, NewMember, NewPlan, NewTeam};
use langso_hub::clock::{Clock, Millis};
use langso_hub::server::{Config, Hub, Server};
use serde_json::Value;

use super::part::{Done, Founded, Order, Ready, obey, say};
use super::{DemoError, figures};
use crate::campaign::codes;
use crate::campaign::ledger::{Header, Ledger, Team};
use crate::campaign::stock;

/// What the process is started with.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The ledger, for its header.
    #[arg(long)]
    ledger: PathBuf,
    /// The hub's folder.
    #[arg(long)]
    folder: PathBuf,
}

/// Obeys orders until the end.
pub(super) fn run(args: &Args) -> Result<(), DemoError> {
    let log = tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false);
    log.try_init().map_err(|_| DemoError::Unexpected("log"))?;
    let ledger = Ledger::read_jsonl(std::io::BufReader::new(std::fs::File::open(&args.ledger)?))?;
    let hands = Arc::new(AtomicI64::new(ledger.header.period.from.starts_at()));
    let shown = hands.clone();
    let config = Config {
        clock: Clock::new(move || Millis(shown.load(Ordering::Relaxed))),
        ..Config::new(&args.folder, ([127, 0, 0, 1], 0).into())
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let running = runtime.block_on(Server::start(config))?;
    say(&Ready { hub: Some(running.addr) })?;
    let url = format!("http://{}", running.addr);
    obey(|order| match order {
        Order::Found { teams } => found(&running.hub, &ledger.header, &teams, &url),
        Order::Clock { now_ms } => {
            hands.store(now_ms, Ordering::Relaxed);
            Ok(serde_json::to_value(Done::default())?)
        }
        Order::Publish => {
            running.hub.import_stock(stock::packaged_csv())?;
            Ok(serde_json::to_value(Done::default())?)
        }
        Order::Figures { .. } => Ok(serde_json::to_value(figures::of_hub(&running.hub, &ledger.header)?)?),
        Order::Join { .. } | Order::Live { .. } | Order::SyncAll { .. } | Order::Stop => {
            Err(DemoError::Unexpected("an order for a team"))
        }
    })?;
    runtime.block_on(running.shutdown()).map_err(|_| DemoError::Unexpected("the hub's server failed"))
}

fn found(hub: &Hub, header: &Header, teams: &[u8], url: &str) -> Result<Value, DemoError> {
    let province = figures::province()?;
    hub.make_place(province)?;
    hub.make_plan(&NewPlan {
        name: header.plan.clone(),
        unit: province,
        from: header.period.from,
        to: header.period.to,
    })?;
    let mut invites = Vec::new();
    for team in teams.iter().map(|no| &header.teams[usize::from(*no)]) {
        let made = hub.make_team(&new_team(team)?)?;
        let codes = team.members.iter().map(|member| {
            let new = NewMember { name: member.name.clone(), role: role(member.role), from: team.founded_on };
            let member = hub.add_member(made.id, &new)?;
            Ok(hub.make_code(made.id, member, url)?.invite.to_string())
        });
        invites.push(codes.collect::<Result<_, DemoError>>()?);
    }
    Ok(serde_json::to_value(Founded { invites })?)
}

fn role(role: codes::Role) -> Role {
    match role {
        codes::Role::Member => Role::Member,
        codes::Role::Deputy => Role::Deputy,
        codes::Role::Lead => Role::Lead,
    }
}

fn unit(code: &str) -> Result<UnitCode, DemoError> {
    UnitCode::parse(code).ok_or(DemoError::Unexpected("a unit that is none"))
}

/// A union's team is named with its association: by it figures tell the farmers' clubs from the women's sessions.
fn new_team(team: &Team) -> Result<NewTeam, DemoError> {
    let seat = team.units.first().ok_or(DemoError::Unexpected("a team without a commune"))?;
    let hamlet = |hamlet: &crate::campaign::ledger::Hamlet| {
        Ok(NewHamlet {
            name: hamlet.name.clone(),
            unit: unit(&hamlet.unit)?,
            language: Some(hamlet.language.code().to_owned()),
            signal: Some(hamlet.signal.code().to_owned()),
            household_total: Some(hamlet.household_total),
        })
    };
    Ok(NewTeam {
        name: team.name.clone(),
        kind: team.kind.code().to_owned(),
        unit: unit(seat)?,
        founded_on: team.founded_on,
        hamlets: team.hamlets.iter().map(hamlet).collect::<Result<_, DemoError>>()?,
    })
}
