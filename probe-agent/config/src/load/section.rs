//! The targets of one group, or those without one.

use super::Loaded;
use crate::{
    decode::Lenient,
    schema::{FileSd, FoundPolicy, HttpSd, Labels, PolicySettings, TargetOwn, WithPolicy},
    values::LabelName,
};

/// The targets of one group, or those without one.
#[derive(Clone, Copy, Debug)]
pub struct Section<'a> {
    loaded: &'a Loaded,
    /// The name of the group; `None`: the top of the file.
    pub group: Option<&'a str>,
    pub(super) policy: Option<&'a PolicySettings>,
    labels: Option<&'a Labels>,
    targets: &'a [Lenient<WithPolicy<TargetOwn>>],
    file_sd: &'a [Lenient<FileSd>],
    http_sd: &'a [Lenient<HttpSd>],
}

/// A target that is written in the configuration.
#[derive(Clone, Copy, Debug)]
pub struct StaticTarget<'a> {
    /// Its own settings.
    pub settings: &'a PolicySettings,
    /// What else is written.
    pub own: &'a TargetOwn,
    /// Its number in the list, from 0.
    pub index: usize,
}

impl Loaded {
    /// The targets without a group, then each group.
    pub fn sections(&self) -> impl Iterator<Item = Section<'_>> {
        let configuration = &self.configuration;
        let top = Section {
            loaded: self,
            group: None,
            policy: None,
            labels: None,
            targets: &configuration.targets,
            file_sd: &configuration.file_sd,
            http_sd: &configuration.http_sd,
        };
        let groups = configuration.groups.iter().filter_map(move |(name, group)| {
            let WithPolicy { policy, own } = group.get()?;
            Some(Section {
                loaded: self,
                group: Some(name),
                policy: Some(policy),
                labels: Some(&own.labels),
                targets: &own.targets,
                file_sd: &own.file_sd,
                http_sd: &own.http_sd,
            })
        });
        [top].into_iter().chain(groups)
    }
}

impl<'a> Section<'a> {
    /// The targets that are written.
    pub fn targets(self) -> impl Iterator<Item = StaticTarget<'a>> {
        self.targets.iter().enumerate().filter_map(|(index, target)| {
            let WithPolicy { policy, own } = target.get()?;
            Some(StaticTarget { settings: policy, own, index })
        })
    }

    /// The files with targets, each with its number.
    pub fn file_sd(self) -> impl Iterator<Item = (usize, &'a FileSd)> {
        self.file_sd.iter().enumerate().filter_map(|(index, files)| Some((index, files.get()?)))
    }

    /// The URLs with targets, each with its number.
    pub fn http_sd(self) -> impl Iterator<Item = (usize, &'a HttpSd)> {
        self.http_sd.iter().enumerate().filter_map(|(index, url)| Some((index, url.get()?)))
    }

    /// What holds for a target with these settings of its own.
    #[must_use]
    pub fn policy(self, own: Option<&PolicySettings>) -> FoundPolicy {
        self.loaded.policy(own, self.policy)
    }

    /// The labels of all targets of the section.
    #[must_use]
    pub fn labels(self) -> Labels {
        let defaults = self.loaded.configuration.defaults.get();
        let defaults = defaults.map(|section| section.own.labels.clone()).unwrap_or_default();
        let Some(group) = self.group else { return defaults };
        let named = |name: &str| Some(("group".parse::<LabelName>().ok()?, name.parse().ok()?));
        let own: Labels = named(group).into_iter().collect::<Labels>();
        self.labels.map_or_else(|| own.clone(), |labels| labels.over(&own)).over(&defaults)
    }

    /// The key of something in the section, as `groups.NAME.KEY`.
    #[must_use]
    pub fn key(self, key: &str) -> String {
        let group = self.group.map(|name| format!("groups.{}", crate::echo::Echo(name)));
        match group {
            None => key.to_owned(),
            Some(group) if key.is_empty() => group,
            Some(group) => format!("{group}.{key}"),
        }
    }
}
