use super::*;

/// A cache for one test, removed at its end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("xtask-cache-{name}-{}", std::process::id()));
        remove(&path).expect("a stale scratch directory can be removed");
        Self(path)
    }

    fn entry(&self) -> Entry {
        Entry::new(self.0.clone(), "tool-1".into(), "tool")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn make(content: &'static str) -> impl FnOnce(&Path) -> Result<PathBuf> {
    move |work| {
        let path = work.join("made");
        fs::write(&path, content).or_fail(|| "write".into())?;
        Ok(path)
    }
}

#[test]
fn an_installed_entry_is_good() {
    let scratch = Scratch::new("good");
    let entry = scratch.entry();
    assert_eq!(entry.state(), State::Absent);
    entry.install(make("one")).unwrap();
    assert_eq!(entry.state(), State::Good);
    // A good entry is not made twice.
    entry.install(|_| panic!("must not be called")).unwrap();
}

#[test]
fn a_truncated_executable_is_noticed_and_rebuilt() {
    let scratch = Scratch::new("truncated");
    let entry = scratch.entry();
    entry.install(make("whole")).unwrap();
    fs::write(entry.executable(), "who").unwrap();
    assert!(matches!(entry.state(), State::Corrupt(_)));
    entry.install(make("whole again")).unwrap();
    assert_eq!(entry.state(), State::Good);
    assert_eq!(fs::read_to_string(entry.executable()).unwrap(), "whole again");
}

#[test]
fn a_missing_or_empty_checksum_is_corrupt() {
    let scratch = Scratch::new("checksum");
    let entry = scratch.entry();
    entry.install(make("whole")).unwrap();
    let record = entry.directory().join("SHA256SUMS");
    fs::write(&record, "").unwrap();
    assert!(matches!(entry.state(), State::Corrupt(_)));
    fs::remove_file(&record).unwrap();
    assert!(matches!(entry.state(), State::Corrupt(_)));
    entry.install(make("whole")).unwrap();
    fs::remove_file(entry.executable()).unwrap();
    assert!(matches!(entry.state(), State::Corrupt(_)));
}

#[test]
fn an_interrupted_build_leaves_no_entry() {
    let scratch = Scratch::new("interrupted");
    let entry = scratch.entry();
    assert!(entry.install(|_| Err(Failure::new("stopped"))).is_err());
    assert_eq!(entry.state(), State::Absent);
    entry.install(make("one")).unwrap();
    assert_eq!(entry.state(), State::Good);
}
