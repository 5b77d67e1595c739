//! A team's process: its members' phones, each with a folder, a key and an HTTP client of its own, living the team's
//! part of the ledger. It knows the hub by an address and by invitations.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use serde_json::Value;

use super::air::Air;
use super::book::Book;
use super::clock::PhoneClock;
use super::deeds::Hand;
use super::device::Device;
use super::part::{Done, Order, Ready, obey, say};
use super::{DemoError, figures};
use crate::campaign::codes::Service;
use crate::campaign::event::{Event, KillDuring, What};
use crate::campaign::ledger::{Ledger, MemberNo, TeamNo};
use crate::campaign::service_references;

/// What the process is started with.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Its place in the ledger.
    #[arg(long)]
    team: u8,
    /// The ledger with its events.
    #[arg(long)]
    ledger: PathBuf,
    /// Where its phones' folders are made.
    #[arg(long)]
    folder: PathBuf,
    /// Where the hub is.
    #[arg(long)]
    hub: SocketAddr,
    /// A team that never has signal once it has joined.
    #[arg(long)]
    silent: bool,
}

/// Obeys orders until the end.
pub(super) fn run(args: &Args) -> Result<(), DemoError> {
    let runtime = Rc::new(tokio::runtime::Builder::new_current_thread().enable_all().build()?);
    let ledger = std::io::BufReader::new(std::fs::File::open(&args.ledger)?);
    let ledger = Ledger::read_jsonl(ledger)?;
    let mut team = Team::new(args, &ledger, runtime)?;
    say(&Ready { hub: None })?;
    obey(|order| team.obey(order))
}

struct Team<'a> {
    no: TeamNo,
    ledger: &'a Ledger,
    air: Air,
    devices: Vec<Device>,
    /// What is to come, a device.
    ahead: Vec<VecDeque<&'a Event>>,
    book: Book,
    services: BTreeMap<Service, String>,
    is_silent: bool,
    done: Done,
}

impl<'a> Team<'a> {
    fn new(args: &Args, ledger: &'a Ledger, runtime: Rc<tokio::runtime::Runtime>) -> Result<Self, DemoError> {
        let no = TeamNo(args.team);
        let team = ledger.header.teams.get(no.index()).ok_or(DemoError::Unexpected("no such team"))?;
        let start = ledger.header.period.from.starts_at();
        let clocks: Vec<_> = ledger
            .header
            .phones
            .iter()
            .map(|phone| {
                let name = format!("phone {}", phone.no.0);
                Arc::new(PhoneClock::new(name, phone.clock_offset_ms, start))
            })
            .collect();
        let device = |(at, member): (usize, &crate::campaign::ledger::Member)| {
            let folder = args.folder.join(figures::phone_folder(team, MemberNo(at as u8)));
            Device::new(folder, clocks[member.phone.index()].clone(), runtime.clone())
        };
        let devices: Vec<Device> = team.members.iter().enumerate().map(device).collect();
        let mut ahead = vec![VecDeque::new(); devices.len()];
        for event in ledger.events.iter().filter(|event| event.team == no) {
            ahead[event.member.index()].push_back(event);
        }
        let air = runtime.block_on(Air::open(args.hub))?;
        Ok(Self {
            no,
            ledger,
            air,
            devices,
            ahead,
            book: Book::default(),
            services: service_references()?,
            is_silent: args.silent,
            done: Done::default(),
        })
    }

    fn obey(&mut self, order: Order) -> Result<Value, DemoError> {
        match order {
            Order::Join { now_ms, invites } => self.join(now_ms, invites)?,
            Order::Live { until_ms } => self.live(until_ms)?,
            Order::SyncAll { now_ms } => self.sync_all(now_ms)?,
            Order::Figures { now_ms } => return self.figures(now_ms),
            Order::Found { .. } | Order::Clock { .. } | Order::Publish | Order::Stop => {
                return Err(DemoError::Unexpected("an order for the hub"));
            }
        }
        (self.done.bytes_up, self.done.bytes_down) = self.air.take_bytes();
        Ok(serde_json::to_value(std::mem::take(&mut self.done))?)
    }

    fn me(&self) -> &'a crate::campaign::ledger::Team {
        &self.ledger.header.teams[self.no.index()]
    }

    /// Members join one after the other and fetch the team's book; the hub is known by where there is signal.
    fn join(&mut self, now_ms: i64, invites: Vec<String>) -> Result<(), DemoError> {
        for (device, invite) in self.devices.iter_mut().zip(invites) {
            device.clock.set(now_ms);
            let mut invite: langso_sync::wire::Invite =
                invite.parse().map_err(|_| DemoError::Unexpected("an invitation that is none"))?;
            invite.url = format!("http://{}", self.air.addr());
            device.join(invite.to_string())?;
            device.sync()?;
            self.done.syncs += 1;
        }
        let me = self.me();
        self.book = Book::read(self.devices[me.lead().index()].app()?, me, &self.ledger.header.plan)?;
        Ok(())
    }

    fn live(&mut self, until_ms: i64) -> Result<(), DemoError> {
        while let Some(member) = self.next(until_ms) {
            let event = self.ahead[member][0];
            let device = &mut self.devices[member];
            device.clock.set(event.at.0);
            let taken = match &event.what {
                What::Sync { cut_after_bytes } => {
                    self.sync(member, *cut_after_bytes)?;
                    1
                }
                What::Kill { during } => {
                    device.doomed = Some(*during);
                    self.done.kills += 1;
                    1
                }
                What::Restart { reboot } => {
                    self.restart(member, *reboot);
                    1
                }
                what => {
                    let events = self.ahead[member].make_contiguous();
                    let mut hand = Hand { device, book: &mut self.book, services: &self.services };
                    match hand.act(events) {
                        // Without signal a phone does not know what others wrote: what needs it does not happen.
                        Err(DemoError::Call { .. } | DemoError::Unexpected(_)) if self.is_silent => 1,
                        taken => {
                            self.done.visits += u64::from(matches!(what, What::Visit(_)));
                            self.done.households += u64::from(matches!(what, What::Household(_)));
                            taken?
                        }
                    }
                }
            };
            self.ahead[member].drain(..taken);
        }
        Ok(())
    }

    /// Whose turn it is before that moment.
    fn next(&self, until_ms: i64) -> Option<usize> {
        let first = |at: usize| Some((self.ahead[at].front()?.at.0, at));
        let soonest = (0..self.ahead.len()).filter_map(first).min()?;
        (soonest.0 < until_ms).then_some(soonest.1)
    }

    /// A reboot ends every app in the phone.
    fn restart(&mut self, member: usize, is_reboot: bool) {
        let clock = self.devices[member].clock.clone();
        if is_reboot {
            clock.reboot();
        }
        for (at, device) in self.devices.iter_mut().enumerate() {
            if at == member || is_reboot && Arc::ptr_eq(&device.clock, &clock) {
                device.quit();
            }
        }
    }

    fn sync(&mut self, member: usize, cut_after_bytes: Option<u32>) -> Result<(), DemoError> {
        if self.is_silent {
            return Ok(());
        }
        let device = &mut self.devices[member];
        self.done.syncs += 1;
        if device.doomed == Some(KillDuring::Sync) {
            device.doomed = None;
            self.done.cuts += 1;
            // Somewhere in a request of usual size, another place each time.
            let bytes = 150 + (device.clock.true_ms().unsigned_abs() / 1_000 % 1_400) as u32;
            return device.sync_killed(&self.air, bytes);
        }
        match cut_after_bytes {
            Some(bytes) => {
                self.done.cuts += u64::from(device.sync_until(&self.air, bytes)?);
                Ok(())
            }
            None => device.sync(),
        }
    }

    fn sync_all(&mut self, now_ms: i64) -> Result<(), DemoError> {
        for device in &mut self.devices {
            device.clock.set(now_ms);
            device.sync()?;
            self.done.syncs += 1;
        }
        Ok(())
    }

    fn figures(&mut self, now_ms: i64) -> Result<Value, DemoError> {
        let lead = self.me().lead().index();
        let lead = &mut self.devices[lead];
        lead.clock.set(now_ms);
        let figures = figures::of_lead(lead.app()?, self.no)?;
        // Whatever else wants to look at the phones finds their folders free.
        self.devices.iter_mut().for_each(Device::quit);
        Ok(serde_json::to_value(figures)?)
    }
}
