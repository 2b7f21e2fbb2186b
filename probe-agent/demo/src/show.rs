//! Shows scenarios in their order, however they finish.

use model::human;
use std::{
    io::{self, BufWriter, Stdout, Write},
    time::Instant,
};

use super::{
    crew::{News, Part},
    describe, json, page,
    play::Played,
    table::{self, Row},
};
use kernel::clock::Clock;
use report::{progress::Line, reporter::reader_gone, style::Look};

/// How the results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputFormat {
    /// Each exchange as a sequence diagram.
    Ladder,
    /// One row per scenario.
    Table,
    /// One JSON object per probe.
    Json,
}

/// The results on stdout, and on stderr what is being waited for.
pub(super) struct Show<'a> {
    parts: &'a [Part],
    output: OutputFormat,
    clock: Clock,
    look: Look,
    out: BufWriter<Stdout>,
    progress: Line<io::Stderr>,
    began: Instant,
    /// Finished, not shown yet.
    waiting: Vec<Option<Box<Played>>>,
    finished: Vec<bool>,
    next: usize,
    rows: Vec<Row>,
    failed: Option<io::Error>,
    reported_missing: bool,
}

impl<'a> Show<'a> {
    pub(super) fn new(parts: &'a [Part], output: OutputFormat, clock: Clock) -> Self {
        Self {
            parts,
            output,
            clock,
            look: Look::of_stdout(),
            out: BufWriter::new(io::stdout()),
            progress: Line::on_stderr(),
            began: Instant::now(),
            waiting: parts.iter().map(|_| None).collect(),
            finished: vec![false; parts.len()],
            next: 0,
            rows: Vec::new(),
            failed: None,
            reported_missing: false,
        }
    }

    /// Shows what can be shown now; `false` if there is no use in going on.
    pub(super) fn hear(&mut self, news: News) -> bool {
        if let News::Played(index, played) = news {
            self.finished[index] = true;
            self.waiting[index] = Some(played);
        }
        self.progress.clear();
        while let Some(played) = self.waiting.get_mut(self.next).and_then(Option::take) {
            self.next += 1;
            self.show(&played);
        }
        self.progress.draw(&self.awaited());
        self.failed.is_none()
    }

    fn show(&mut self, played: &Played) {
        if !std::mem::replace(&mut self.reported_missing, true) {
            for missing in played.capabilities.missing() {
                eprintln!("probe-agent: {missing}");
            }
        }
        if played.in_vain > 0 {
            eprintln!(
                "probe-agent: {} over {}: played {} times, because the kernel had skipped a hook or this \
                 host had stood still",
                played.scenario.name,
                describe::family(played.family),
                played.in_vain + 1
            );
        }
        self.rows.push(Row::new(played));
        if self.failed.is_some() {
            return;
        }
        let written = match self.output {
            OutputFormat::Ladder => {
                self.out.write_all(page::draw(played, self.clock, self.look).as_bytes())
            }
            OutputFormat::Table => Ok(()),
            OutputFormat::Json => json::write(&mut self.out, played, self.clock),
        };
        self.failed = written.and_then(|()| self.out.flush()).err();
    }

    /// `12 of 36 done, waiting for rst-lost over IPv6 and 23 others`.
    fn awaited(&self) -> String {
        let open: Vec<&Part> =
            self.parts.iter().zip(&self.finished).filter(|(_, f)| !**f).map(|(p, _)| p).collect();
        let done = self.parts.len() - open.len();
        let others = match open.len() {
            0 | 1 => String::new(),
            n => format!(" and {}", human::counted(n as u64 - 1, "other")),
        };
        open.first().map_or_else(String::new, |(scenario, family, _)| {
            format!(
                "{done} of {} done, waiting for {} over {}{others}",
                self.parts.len(),
                scenario.name,
                describe::family(*family)
            )
        })
    }

    /// Whether the results could not be written, as when nobody reads them any more.
    pub(super) const fn is_unread(&self) -> bool {
        self.failed.is_some()
    }

    /// The summary; whether every scenario was played and went as injected.
    ///
    /// # Errors
    /// If stdout cannot be written to, for any other reason than that nobody reads it any more.
    pub(super) fn finish(mut self) -> io::Result<bool> {
        self.progress.clear();
        // After an interrupt, scenarios that finished wait behind one that did not.
        for played in std::mem::take(&mut self.waiting).into_iter().flatten() {
            self.show(&played);
        }
        let good = self.rows.iter().filter(|row| row.is_ok()).count();
        let all = self.parts.len();
        if self.failed.is_none() && self.output != OutputFormat::Json {
            let mut text = table::draw(&self.rows, self.look);
            let time = human::seconds(self.began.elapsed().as_secs_f64());
            text.push_str(&format!("\n{good} of {all} as injected, in {time}\n"));
            self.failed = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush()).err();
        }
        match self.failed {
            Some(error) if !reader_gone(&error) => Err(error),
            _ => Ok(good == all),
        }
    }
}
