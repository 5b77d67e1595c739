//! Finding a household by the name of a contact, among many.

use std::time::Instant;

use langso_domain::date::CivilDate;
use langso_domain::id::{DeviceId, ScopeId, Writer};
use langso_domain::registry::{CURRENT as REGISTRY, ScopeKind};
use langso_domain::text;
use langso_store::{Batch, CURRENT, Purpose, Replica, find_households};
use langso_sync::author::Author;
use langso_sync::clock::Clock;

use super::clocks::{ms, percentile};
use super::line::Line;
use super::{Bench, Res};
use crate::campaign::codes::{Language, Sex};
use crate::campaign::people;
use crate::campaign::rng::SplitMix64;

const SCOPE: ScopeId = ScopeId(*b"team-001");
/// Households of one change.
const A_CHANGE: usize = 60;
/// Hits that a screen shows.
const LIMIT: usize = 20;

/// Searches as people type them: whole names, parts and beginnings, with and without marks, numbers.
pub fn search(bench: &Bench) -> Res<Vec<Line>> {
    let folder = bench.folder("search")?;
    let mut replica = Replica::open(&folder.path().join("phone.db"), CURRENT, Purpose::Phone)?;
    let mut rng = SplitMix64::stream(bench.seed, "search", 0);
    let mut batch = replica.begin()?;
    batch.add_scope(SCOPE, ScopeKind::Team)?;
    let (mut author, mut clock) = (Author::new(Writer(1)), Clock::default());
    let mut names = Vec::with_capacity(bench.scale.contacts);
    while names.len() < bench.scale.contacts {
        put_households(&mut batch, &mut author, &mut clock, &mut rng, &mut names, bench.scale.contacts)?;
    }
    batch.commit()?;
    let mut times = Vec::new();
    let (mut found, mut asked) = (0, 0);
    for _ in 0..bench.scale.searches {
        let Some((name, phone)) = rng.pick(&names) else { continue };
        let words: Vec<&str> = name.split(' ').collect();
        let last = words.last().copied().unwrap_or_default();
        let start: String = last.chars().take(2).collect();
        let folded = text::fold(name);
        let queries = [
            name.clone(),
            folded.clone(),
            words[words.len().saturating_sub(2)..].join(" "),
            last.to_owned(),
            format!("{} {start}", words[0]),
            start,
            phone.clone(),
            phone.chars().take(6).collect(),
        ];
        for query in queries {
            let begun = Instant::now();
            let hits = find_households(replica.connection(), &query, LIMIT)?;
            times.push(begun.elapsed());
            asked += 1;
            found += usize::from(!hits.is_empty());
        }
    }
    if found != asked {
        return Err(format!("{found} of {asked} searches found something").into());
    }
    let (half, worst) = (percentile(&mut times, 50), percentile(&mut times, 100));
    let how = format!(
        "{} contacts; {asked} searches for whole names with and without marks, parts, beginnings and numbers, {LIMIT} hits each; p95, with a median of {:.2} and a slowest of {:.2} ms",
        names.len(),
        ms(half),
        ms(worst)
    );
    Ok(vec![Line::alone("search_p95", ms(percentile(&mut times, 95)), how)])
}

fn put_households(
    batch: &mut Batch<'_>,
    author: &mut Author,
    clock: &mut Clock,
    rng: &mut SplitMix64,
    names: &mut Vec<(String, String)>,
    most: usize,
) -> Res<()> {
    let (household, contact) =
        (REGISTRY.named("household").ok_or("household")?, REGISTRY.named("contact").ok_or("contact")?);
    let field = |table: &langso_domain::registry::Table, name| {
        table.named(name).map(|field| field.number).ok_or("a field")
    };
    let mut draft = author.draft();
    for _ in 0..A_CHANGE.min(most - names.len()) {
        let label = format!("Hộ {}", names.len() + 1);
        let row = draft.create(household.number, [(field(household, "label")?, label.as_str().into())])?;
        let sex = if rng.chance(50) { Sex::Female } else { Sex::Male };
        let language = rng.weighted(&[
            (Language::Kinh, 4),
            (Language::Tay, 2),
            (Language::Dao, 3),
            (Language::SanChi, 1),
        ]);
        let (name, phone) = (people::name(rng, language, sex), people::phone(rng));
        draft.create(
            contact.number,
            [
                (field(contact, "household_id")?, row.into()),
                (field(contact, "display_name")?, name.as_str().into()),
                (field(contact, "phone")?, phone.as_str().into()),
                (field(contact, "expires_on")?, CivilDate(20_000).into()),
            ],
        )?;
        names.push((name, phone));
    }
    let change = author.finish(draft, clock, 1_710_000_000_000);
    batch.apply(SCOPE, DeviceId([1; 8]), &change)?;
    Ok(())
}
