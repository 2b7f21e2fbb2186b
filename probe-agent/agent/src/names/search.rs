//! The full names that a name may stand for, as resolv.conf(5) orders them.

/// What `/etc/resolv.conf` says about names that are not complete.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Search {
    /// The domains to try, without a dot at the end.
    pub(super) domains: Vec<String>,
    /// A name with this many dots is first tried as it is.
    pub(super) ndots: usize,
}

impl Search {
    /// The full names to ask for, the first one first. Each ends with a dot.
    pub(super) fn candidates(&self, name: &str) -> Vec<String> {
        if name.ends_with('.') {
            return vec![name.to_owned()];
        }
        let mut candidates: Vec<String> =
            self.domains.iter().map(|domain| format!("{name}.{domain}.")).collect();
        let first = name.matches('.').count() >= self.ndots;
        candidates.insert(if first { 0 } else { candidates.len() }, format!("{name}."));
        candidates
    }
}

#[cfg(test)]
mod tests {
    use super::Search;

    #[test]
    fn the_order_of_candidates() {
        let domains = ["shop.svc.cluster.local", "svc.cluster.local"].map(str::to_owned);
        let search = |ndots| Search { domains: domains.to_vec(), ndots };
        let short = ["db.shop.svc.cluster.local.", "db.svc.cluster.local.", "db."];
        assert_eq!(search(5).candidates("db"), short);
        assert_eq!(search(1).candidates("db"), short);
        assert_eq!(search(1).candidates("db.example")[0], "db.example.");
        assert_eq!(search(5).candidates("db.example")[2], "db.example.");
        assert_eq!(search(5).candidates("db.example."), ["db.example."]);
        assert_eq!(Search::default().candidates("db"), ["db."]);
    }
}
