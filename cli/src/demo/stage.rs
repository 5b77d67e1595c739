//! The parent's part: makes the ledger, starts the processes, moves time on, and sets the figures side by side.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Instant;

use langso_domain::date::CivilDate;

use super::figures::{self, Figure};
use super::part::{Done, Founded, Order, Part, Ready};
use super::progress::Progress;
use super::report::Report;
use super::{Args, DemoError};
use crate::campaign::event::What;
use crate::campaign::ledger::{Ledger, TeamNo};
use crate::campaign::{Parameters, generate, totals};

/// Syncs closer together than this are one step of the hub's clock.
const STEP_MS: i64 = 15 * 60_000;
const HOUR_MS: i64 = 3_600_000;
/// The file by which a folder is known as an earlier demo's.
const MARK: &str = "ledger.jsonl";

/// Lives the campaign; gives the result and the folders of the leads' phones.
pub(super) fn play(args: &Args) -> Result<(Report, Vec<PathBuf>), DemoError> {
    let parameters = Parameters::packaged()?;
    let seed = args.seed.unwrap_or(parameters.seed);
    let mut ledger = generate(&parameters, seed)?;
    let teams = chosen(&ledger, &args.teams)?;
    let lost = args.lose.map(|team| TeamNo(team - 1));
    if let Some(lost) = lost.filter(|lost| !teams.contains(lost)) {
        return Err(DemoError::NoTeam(lost.0 + 1));
    }
    ledger.events.retain(|event| teams.contains(&event.team));
    let data = fresh_folder(args.data.as_deref())?;
    let path = data.join(MARK);
    ledger.write_jsonl(std::io::BufWriter::new(std::fs::File::create(&path)?))?;
    let began = Instant::now();
    let mut stage = Stage::set(&data, &path, &teams, lost)?;
    let done = stage.live(&ledger)?;
    let (hub, phone) = stage.ask(&ledger)?;
    let seconds = began.elapsed().as_secs_f64();
    let leads = stage.leads(&ledger, &data);
    stage.end()?;
    let (rows, team_differences) = figures::side_by_side(&ledger, &phone, &hub, &teams, lost)?;
    let report = Report {
        rows,
        visits: done.visits,
        households: done.households,
        phones: ledger.header.phones.iter().filter(|phone| teams.contains(&phone.team)).count(),
        bytes_up: done.bytes_up,
        bytes_down: done.bytes_down,
        seconds: (seconds * 10.0).round() / 10.0,
        data: data.display().to_string(),
        syncs: done.syncs,
        cuts: done.cuts,
        kills: done.kills,
        team_differences,
    };
    Ok((report, leads))
}

/// The teams named from 1, or all.
fn chosen(ledger: &Ledger, named: &[u8]) -> Result<Vec<TeamNo>, DemoError> {
    let all: Vec<TeamNo> = ledger.header.teams.iter().map(|team| team.no).collect();
    if named.is_empty() {
        return Ok(all);
    }
    let named: BTreeSet<u8> = named.iter().copied().collect();
    named
        .into_iter()
        .map(|team| all.get(usize::from(team) - 1).copied().ok_or(DemoError::NoTeam(team)))
        .collect()
}

/// An empty folder. An earlier demo's own folder is cleared; any other with something in it is left alone.
fn fresh_folder(data: Option<&Path>) -> Result<PathBuf, DemoError> {
    let folder = data.unwrap_or(Path::new(".demo"));
    if data.is_none() && folder.join(MARK).exists() {
        std::fs::remove_dir_all(folder)?;
    }
    if std::fs::read_dir(folder).is_ok_and(|mut inside| inside.next().is_some()) {
        return Err(DemoError::Folder(folder.to_owned()));
    }
    std::fs::create_dir_all(folder.join("log"))?;
    Ok(folder.canonicalize()?)
}

/// A team's process, and how many answers are still to come from it.
struct TeamPart {
    no: TeamNo,
    part: Part,
    owes: usize,
}

/// The running processes.
struct Stage {
    hub: Part,
    teams: Vec<TeamPart>,
    lost: Option<(TeamNo, PathBuf)>,
    progress: Progress,
    done: Done,
}

impl Stage {
    fn set(data: &Path, ledger: &Path, teams: &[TeamNo], lost: Option<TeamNo>) -> Result<Self, DemoError> {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let hub = ["--ledger", &text(ledger), "--folder", &text(&data.join("hub"))];
        let mut hub = Part::start("hub", &hub, Some(&data.join("log/hub.log")))?;
        let ready: Ready = hub.answer()?;
        let addr: SocketAddr = ready.hub.ok_or(DemoError::Unexpected("a hub without an address"))?;
        let mut parts = Vec::new();
        for team in teams {
            let (no, addr) = (team.0.to_string(), addr.to_string());
            let (path, folder) = (text(ledger), text(&figures::team_folder(data, *team)));
            let mut arguments = vec!["--team", &no, "--ledger", &path, "--folder", &folder, "--hub", &addr];
            if lost == Some(*team) {
                arguments.push("--silent");
            }
            let log = data.join(format!("log/team-{:02}.log", team.0 + 1));
            parts.push(TeamPart { no: *team, part: Part::start("team", &arguments, Some(&log))?, owes: 0 });
        }
        for team in &mut parts {
            team.part.answer::<Ready>()?;
        }
        let lost = lost.map(|team| (team, figures::team_folder(data, team)));
        Ok(Self { hub, teams: parts, lost, progress: Progress::new(0), done: Done::default() })
    }

    /// From the first invitation to the morning after the last day.
    fn live(&mut self, ledger: &Ledger) -> Result<Done, DemoError> {
        self.progress = Progress::new(totals(ledger).iter().map(|team| team.visits).sum());
        let first = ledger.header.period.from.starts_at();
        self.progress.tell("Lập tổ, mời từng người vào", "Teams are made, members join");
        let teams = self.teams.iter().map(|team| team.no.0).collect();
        let founded: Founded = self.hub.ask(&Order::Found { teams })?;
        for (team, invites) in self.teams.iter_mut().zip(founded.invites) {
            team.part.order(&Order::Join { now_ms: first + HOUR_MS, invites })?;
        }
        self.teams.iter_mut().for_each(|team| team.owes += 1);
        self.gather(None, CivilDate::at(first))?;
        for step in steps(ledger) {
            self.hub.ask::<Done>(&Order::Clock { now_ms: step.now_ms })?;
            self.order(&Order::Live { until_ms: step.until_ms })?;
            self.gather(Some(&step.syncing), CivilDate::at(step.until_ms))?;
        }
        self.gather(None, ledger.header.period.to)?;
        self.lose()?;
        // The next morning the published figures are imported, and every phone fetches the last of the others' work.
        let morning = CivilDate(ledger.header.period.to.0 + 1);
        let now_ms = morning.starts_at() + 8 * HOUR_MS;
        self.progress.tell("Mọi máy gửi và nhận lần cuối", "Every phone syncs once more");
        self.hub.ask::<Done>(&Order::Clock { now_ms })?;
        self.hub.ask::<Done>(&Order::Publish)?;
        self.order(&Order::SyncAll { now_ms: now_ms + 1_000 })?;
        self.gather(None, morning)?;
        Ok(self.done)
    }

    /// The hub's figures and the leads'.
    fn ask(&mut self, ledger: &Ledger) -> Result<(Vec<Figure>, Vec<Figure>), DemoError> {
        self.progress.tell("Đọc số liệu", "Reading the figures");
        let morning = CivilDate(ledger.header.period.to.0 + 1);
        let order = Order::Figures { now_ms: morning.starts_at() + 9 * HOUR_MS };
        self.teams.iter_mut().try_for_each(|team| team.part.order(&order))?;
        let hub = self.hub.ask(&order)?;
        let mut phone = Vec::new();
        for team in &mut self.teams {
            phone.extend(team.part.answer::<Vec<Figure>>()?);
        }
        Ok((hub, phone))
    }

    fn order(&mut self, order: &Order) -> Result<(), DemoError> {
        self.teams.iter_mut().try_for_each(|team| {
            team.owes += 1;
            team.part.order(order)
        })
    }

    /// Waits for those teams, or for all. Others live on meanwhile.
    fn gather(&mut self, of: Option<&BTreeSet<TeamNo>>, day: CivilDate) -> Result<(), DemoError> {
        let mut visits = 0;
        for team in self.teams.iter_mut().filter(|team| of.is_none_or(|of| of.contains(&team.no))) {
            for _ in 0..std::mem::take(&mut team.owes) {
                let done: Done = team.part.answer()?;
                visits += done.visits;
                self.done.add(done);
            }
        }
        self.progress.add(visits, day);
        Ok(())
    }

    /// The phones of that team are gone, and with them what they never sent.
    fn lose(&mut self) -> Result<(), DemoError> {
        let Some((lost, folder)) = &self.lost else { return Ok(()) };
        if let Some(at) = self.teams.iter().position(|team| team.no == *lost) {
            self.teams.remove(at).part.stop()?;
        }
        Ok(std::fs::remove_dir_all(folder)?)
    }

    fn leads(&self, ledger: &Ledger, data: &Path) -> Vec<PathBuf> {
        let teams = self.teams.iter().map(|team| &ledger.header.teams[team.no.index()]);
        teams
            .map(|team| figures::team_folder(data, team.no).join(figures::phone_folder(team, team.lead())))
            .collect()
    }

    fn end(self) -> Result<(), DemoError> {
        self.progress.end();
        for team in self.teams {
            team.part.stop()?;
        }
        self.hub.stop()
    }
}

/// One step of time.
struct Step {
    /// What the hub's clock shows.
    now_ms: i64,
    /// Up to when teams live.
    until_ms: i64,
    /// Who speaks to the hub in it; the clock waits for them alone.
    syncing: BTreeSet<TeamNo>,
}

/// The hub's clock is of use only while somebody syncs: it goes forward to the first of syncs that are close together.
fn steps(ledger: &Ledger) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for event in ledger.events.iter().filter(|event| matches!(event.what, What::Sync { .. })) {
        let now_ms = event.at.0;
        match steps.last_mut().filter(|step| now_ms < step.now_ms + STEP_MS) {
            Some(step) => {
                step.until_ms = now_ms + 1;
                step.syncing.insert(event.team);
            }
            None => {
                let syncing = BTreeSet::from([event.team]);
                steps.push(Step { now_ms, until_ms: now_ms + 1, syncing });
            }
        }
    }
    if let (Some(last), Some(event)) = (steps.last_mut(), ledger.events.last()) {
        last.until_ms = last.until_ms.max(event.at.0 + 1);
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::ledger::Span;

    #[test]
    fn every_sync_lies_in_a_step_of_its_team_and_the_clock_is_a_quarter_of_an_hour_behind_at_most() {
        let parameters = Parameters::packaged().expect("packaged");
        let ledger = generate(&parameters, parameters.seed).expect("a ledger");
        let steps = steps(&ledger);
        assert!(steps.is_sorted_by(|one, next| one.until_ms <= next.now_ms));
        for event in &ledger.events {
            if let What::Sync { .. } = event.what {
                let within = |step: &&Step| (step.now_ms..step.until_ms).contains(&event.at.0);
                let step = steps.iter().find(within).expect("a step");
                assert!(step.syncing.contains(&event.team) && event.at.0 - step.now_ms < STEP_MS);
            }
        }
        let Span { to, .. } = ledger.header.period;
        assert!(steps.last().expect("steps").until_ms > to.starts_at());
    }
}
