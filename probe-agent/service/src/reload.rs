//! Reads the configuration and the lists that it names, and plans the probes.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    path::PathBuf,
};

use config::{
    capacity::{self, Room},
    discovery::SourceState,
    files,
    load::{self, Loaded, SourceKey, SourceKind},
    overrides::Overrides,
    plan::{Plan, plan},
};

/// Where the configuration comes from, and the last good lists.
#[derive(Clone, Debug)]
pub(crate) struct ConfigurationSource {
    path: PathBuf,
    overrides: Overrides,
    room: Room,
    lists: HashMap<SourceKey, SourceState>,
}

/// A configuration, and what follows from it.
#[derive(Debug)]
pub(crate) struct Configuration {
    pub(crate) loaded: Loaded,
    pub(crate) plan: Plan,
    /// A hash of its text and of its lists.
    pub(crate) hash: String,
    /// What is to be watched.
    pub(crate) files: Vec<PathBuf>,
    /// What has a cost or no effect, one line each.
    pub(crate) warnings: Vec<String>,
}

impl ConfigurationSource {
    pub(crate) fn new(path: PathBuf, overrides: Overrides, room: Room) -> Self {
        Self { path, overrides, room, lists: HashMap::new() }
    }

    /// Reads everything.
    ///
    /// # Errors
    /// What is wrong, one line each. The lists that are in force stay.
    pub(crate) fn read(&mut self) -> Result<Configuration, Vec<String>> {
        let name = files::shown(&self.path);
        let bytes = files::read(&self.path).map_err(|error| vec![error.to_string()])?;
        let loaded = load::load(&name, &bytes, self.overrides.clone())
            .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        let mut warnings: Vec<String> = loaded.warnings().iter().map(ToString::to_string).collect();
        let mut watched = vec![self.path.clone()];
        self.discover(&loaded, &mut watched, &mut warnings);
        let lists = self
            .lists
            .iter()
            .map(|(key, state)| (key.clone(), state.lists().map(std::sync::Arc::clone).collect()));
        let plan = plan(&loaded, &lists.collect());
        capacity::check(&plan.probes, self.room)
            .map_err(|problem| vec![format!("{name}: {problem}")])?;
        warnings.extend(plan.left_out.lines());
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        for probe in &plan.probes {
            (&probe.host, probe.port, &probe.policy, &probe.subscribers).hash(&mut hasher);
        }
        let hash = format!("{:016x}", hasher.finish());
        Ok(Configuration { loaded, plan, hash, files: watched, warnings })
    }

    /// Reads the lists of targets.
    fn discover(
        &mut self,
        loaded: &Loaded,
        watched: &mut Vec<PathBuf>,
        warnings: &mut Vec<String>,
    ) {
        let allowed =
            loaded.agent().limits.targets.map_or(usize::MAX, |most| most.value.get() as usize);
        let mut in_use = Vec::new();
        for section in loaded.sections() {
            for (_, entry) in section.file_sd() {
                let patterns = || entry.files.iter().map(|file| &file.value);
                let names = patterns().map(ToString::to_string).collect();
                let key = SourceKey {
                    group: section.group.map(str::to_owned),
                    kind: SourceKind::Files(names),
                };
                let offered = files::read_lists(patterns());
                // The directory changes when a file appears in it.
                watched.extend(patterns().map(|pattern| pattern.directory().to_owned()));
                watched.extend(offered.keys().map(PathBuf::from));
                let bad = offered.values().flatten().flat_map(|list| list.problems.iter());
                warnings.extend(bad.map(ToString::to_string));
                let decision = self.lists.entry(key.clone()).or_default().offer(offered, allowed);
                warnings.extend(decision.kept.iter().map(ToString::to_string));
                in_use.push(key);
            }
            for (_, entry) in section.http_sd() {
                let url = entry.url.value.as_str().to_owned();
                let key = SourceKey {
                    group: section.group.map(str::to_owned),
                    kind: SourceKind::Url(url),
                };
                warnings.push(format!(
                    "http_sd {}: lists behind URLs are not read by this version; write the list to a file \
                     and name it in file_sd",
                    key.shown()
                ));
            }
        }
        self.lists.retain(|key, _| in_use.contains(key));
    }
}
