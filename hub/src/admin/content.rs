//! Publishing content: checked together with all there is, then rows of the reference scope, all or none.

use langso_domain::content::{Content, ContentKind, MAX_ITEM_BYTES, Problem, Sourced};
use langso_domain::indicators::{Indicator, Indicators};
use langso_sync::value::Value as Field;
use serde_json::Value;

use super::{AdminError, Result};
use crate::replica;
use crate::server::Hub;

/// A file to be published: one item, or a JSON array of items of one kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ContentFile<'a> {
    /// Where it comes from, for the faults.
    pub name: &'a str,
    /// `tutorial`, `service`, `failure_code`, `consent`, `list` or `indicator`.
    pub kind: &'a str,
    /// As in `fixtures`.
    pub json: &'a str,
}

/// What a publication did.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PublishedContent {
    /// `code@version` of each item that is new.
    pub new: Vec<String>,
    /// How many items were there already, with the same content.
    pub known: usize,
}

/// What is wrong with content, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ContentFault {
    /// The file.
    pub file: String,
    /// The field, such as `[2].steps[4].failures[0]`; empty when the whole is meant.
    pub path: String,
    /// A code of the domain's content or indicator checks.
    pub code: &'static str,
    /// The value at fault, shortened.
    pub value: String,
}

/// The longest file: many items.
const MAX_FILE_BYTES: usize = 4 * 1024 * 1024;
const MAX_VALUE: usize = 120;
const INDICATOR: &str = "indicator";

/// Elements of a file and the path of each, `` or `[2]`.
type Elements = Vec<(String, String)>;

/// What is on its way into the reference scope.
#[derive(Default)]
struct Publication {
    done: PublishedContent,
    /// Kind, `code@version`, JSON.
    rows: Vec<(&'static str, String, String)>,
    items: Vec<Sourced>,
    /// With the file of each.
    indicators: Vec<(String, Indicator)>,
    faults: Vec<ContentFault>,
}

impl Hub {
    /// Publishes files together, so that a new service and its new tutorial may name each other. What is there
    /// already with the same content is passed over.
    ///
    /// # Errors
    /// [`AdminError::Content`] with every fault found; `kind` (`unknown_choice`). Nothing is changed then.
    pub fn publish_content(&self, files: &[ContentFile<'_>]) -> Result<PublishedContent> {
        let mut batch = self.author.batch();
        let (content, indicators) = (self.content()?, self.indicators()?);
        let mut publication = Publication::default();
        for file in files {
            let elements = publication.elements(file);
            if file.kind == INDICATOR {
                elements.into_iter().for_each(|element| publication.indicator(&indicators, file, element));
                continue;
            }
            let kind = ContentKind::from_name(file.kind);
            let kind = kind.ok_or_else(|| AdminError::invalid("kind", "unknown_choice"))?;
            elements.into_iter().for_each(|element| publication.item(&content, kind, file, element));
        }
        publication.check(&content, &indicators);
        let Publication { mut done, rows, faults, .. } = publication;
        if !faults.is_empty() {
            return Err(AdminError::Content(faults));
        }
        for (kind, reference, body) in rows {
            let fields = [
                ("kind", Field::Text(kind.to_owned())),
                ("code", Field::Text(reference.clone())),
                ("body", Field::Text(body)),
            ];
            batch.create(self.reference, "content_item", fields)?;
            done.new.push(reference);
        }
        batch.commit()?;
        Ok(done)
    }

    /// The release's content and what was published since.
    ///
    /// # Errors
    /// [`replica::Error`].
    pub fn content(&self) -> std::result::Result<Content, replica::Error> {
        let sql = "SELECT kind, body FROM live_content_items
                   WHERE kind IS NOT NULL AND body IS NOT NULL ORDER BY v_stamp, id";
        self.replicas.with(self.reference, |replica, _| {
            let mut get = replica.connection().prepare_cached(sql)?;
            let bodies = get.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(Content::with_published(&bodies.collect::<rusqlite::Result<Vec<_>>>()?))
        })
    }

    /// The release's indicators and those published since.
    ///
    /// # Errors
    /// [`replica::Error`].
    pub fn indicators(&self) -> std::result::Result<Indicators, replica::Error> {
        let sql = "SELECT body FROM live_content_items
                   WHERE kind = 'indicator' AND body IS NOT NULL ORDER BY id";
        self.replicas.with(self.reference, |replica, _| {
            let mut get = replica.connection().prepare_cached(sql)?;
            let bodies = get.query_map([], |row| row.get(0))?;
            Ok(Indicators::with_published(&bodies.collect::<rusqlite::Result<Vec<_>>>()?))
        })
    }
}

impl Publication {
    /// The items of a file. An array's are written anew, one by one; a single item is kept as it came.
    fn elements(&mut self, file: &ContentFile<'_>) -> Elements {
        if file.json.len() > MAX_FILE_BYTES {
            self.fault(file.name, "", Problem::TooLarge.code(), file.json.len());
            return Vec::new();
        }
        match serde_json::from_str::<Value>(file.json) {
            Ok(Value::Array(all)) => {
                let one = |(at, element): (usize, &Value)| (format!("[{at}]"), element.to_string());
                all.iter().enumerate().map(one).collect()
            }
            Ok(_) => vec![(String::new(), file.json.trim().to_owned())],
            Err(why) => {
                let place = format!("line {} column {}", why.line(), why.column());
                self.fault(file.name, "", Problem::BadJson.code(), place);
                Vec::new()
            }
        }
    }

    fn item(
        &mut self,
        known: &Content,
        kind: ContentKind,
        file: &ContentFile<'_>,
        element: (String, String),
    ) {
        let (path, json) = element;
        match Content::read_item(kind, &json) {
            Ok(item) if known.holds(&item) => self.done.known += 1,
            Ok(item) => {
                self.rows.push((kind.name(), item.reference().to_string(), json));
                self.items.push(Sourced { file: format!("{}{path}", file.name), item });
            }
            Err(found) => {
                for error in found {
                    let path = join(&path, &error.path);
                    self.fault(file.name, &path, error.problem.code(), error.value);
                }
            }
        }
    }

    fn indicator(&mut self, known: &Indicators, file: &ContentFile<'_>, element: (String, String)) {
        let (path, json) = element;
        if json.len() > MAX_ITEM_BYTES {
            return self.fault(file.name, &path, Problem::TooLarge.code(), json.len());
        }
        match serde_json::from_str::<Indicator>(&json) {
            Ok(indicator) if known.get(&indicator.reference()) == Some(&indicator) => self.done.known += 1,
            Ok(indicator) => {
                self.rows.push((INDICATOR, indicator.reference(), json));
                self.indicators.push((file.name.to_owned(), indicator));
            }
            Err(why) => self.fault(file.name, &path, "unreadable", why),
        }
    }

    /// All of it together with what there is.
    fn check(&mut self, content: &Content, indicators: &Indicators) {
        if let Err(found) = content.with_all(std::mem::take(&mut self.items)) {
            self.faults.extend(found.into_iter().map(|error| ContentFault {
                file: error.file,
                path: error.path,
                code: error.problem.code(),
                value: error.value,
            }));
        }
        let all = indicators.all().iter().chain(self.indicators.iter().map(|(_, indicator)| indicator));
        if let Err(found) = Indicators::new(all.cloned().collect()) {
            for fault in found {
                let of = self.indicators.iter().find(|(_, one)| one.reference() == fault.indicator);
                let file = of.map(|(file, _)| file.clone()).unwrap_or_default();
                let path = join(&fault.indicator, &fault.path);
                self.fault(&file, &path, fault.problem.code(), fault.value);
            }
        }
    }

    fn fault(&mut self, file: &str, path: &str, code: &'static str, value: impl std::fmt::Display) {
        let value = value.to_string().chars().take(MAX_VALUE).collect();
        self.faults.push(ContentFault { file: file.to_owned(), path: path.to_owned(), code, value });
    }
}

fn join(parent: &str, child: &str) -> String {
    match (parent, child) {
        (_, "") => parent.to_owned(),
        ("", _) => child.to_owned(),
        _ => format!("{parent}.{child}"),
    }
}
