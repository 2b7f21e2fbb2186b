//! Prints results in the order of the scenarios, in whatever order they end.

use model::human;
use std::{
    fmt,
    io::{self, BufWriter, Stdout, Write},
    time::Instant,
};

use super::{
    describe, json, ladders,
    result::ScenarioResult,
    runner::{Case, RunnerEvent},
    table::{self, Grade, Row},
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

/// Prints the results to stdout, and the progress to stderr.
pub(super) struct Printer<'a> {
    cases: &'a [Case],
    output: OutputFormat,
    clock: Clock,
    look: Look,
    out: BufWriter<Stdout>,
    progress: Line<io::Stderr>,
    began: Instant,
    /// Ended, not printed yet.
    waiting: Vec<Option<Box<ScenarioResult>>>,
    ended: Vec<bool>,
    next: usize,
    rows: Vec<Row>,
    failed: Option<io::Error>,
    missing_printed: bool,
}

impl<'a> Printer<'a> {
    pub(super) fn new(cases: &'a [Case], output: OutputFormat, clock: Clock) -> Self {
        Self {
            cases,
            output,
            clock,
            look: Look::of_stdout(),
            out: BufWriter::new(io::stdout()),
            progress: Line::on_stderr(),
            began: Instant::now(),
            waiting: cases.iter().map(|_| None).collect(),
            ended: vec![false; cases.len()],
            next: 0,
            rows: Vec::new(),
            failed: None,
            missing_printed: false,
        }
    }

    /// Prints what can be printed now; `false` if there is no use in going on.
    pub(super) fn on_event(&mut self, event: RunnerEvent) -> bool {
        if let RunnerEvent::Ended(index, result) = event {
            self.ended[index] = true;
            self.waiting[index] = Some(result);
        }
        self.progress.clear();
        while let Some(result) = self.waiting.get_mut(self.next).and_then(Option::take) {
            self.next += 1;
            self.print(&result);
        }
        self.progress.draw(&self.progress_line());
        self.failed.is_none()
    }

    fn print(&mut self, result: &ScenarioResult) {
        if !std::mem::replace(&mut self.missing_printed, true) {
            for missing in result.capabilities.missing() {
                self.remark(format_args!("{missing}"));
            }
        }
        if result.retries > 0 {
            self.remark(format_args!(
                "{} over {}: run {} times, because the kernel skipped a hook or this host stood still",
                result.scenario.name,
                describe::family(result.family),
                result.retries + 1
            ));
        }
        self.rows.push(Row::new(result));
        if self.failed.is_some() {
            return;
        }
        let written = match self.output {
            OutputFormat::Ladder => {
                self.out.write_all(ladders::draw(result, self.clock, self.look).as_bytes())
            }
            OutputFormat::Table => Ok(()),
            OutputFormat::Json => json::write(&mut self.out, result, self.clock),
        };
        self.failed = written.and_then(|()| self.out.flush()).err();
    }

    /// Says something beside the results. A stderr that cannot be written to is no reason to stop.
    fn remark(&self, what: fmt::Arguments<'_>) {
        let _ = writeln!(io::stderr(), "probe-agent: {what}");
    }

    /// `12 of 36 done, waiting for rst-lost over IPv6 and 23 others`.
    fn progress_line(&self) -> String {
        let open: Vec<&Case> =
            self.cases.iter().zip(&self.ended).filter(|(_, f)| !**f).map(|(p, _)| p).collect();
        let done = self.cases.len() - open.len();
        let others = match open.len() {
            0 | 1 => String::new(),
            n => format!(" and {}", human::counted(n as u64 - 1, "other")),
        };
        open.first().map_or_else(String::new, |(scenario, family, _)| {
            format!(
                "{done} of {} done, waiting for {} over {}{others}",
                self.cases.len(),
                scenario.name,
                describe::family(*family)
            )
        })
    }

    /// Whether the results could not be written, for example because the reader is gone.
    pub(super) const fn has_failed(&self) -> bool {
        self.failed.is_some()
    }

    /// Prints the summary; whether every scenario ran, and nothing wrong was reported.
    ///
    /// # Errors
    /// If stdout cannot be written to, for any other reason than that its reader is gone.
    pub(super) fn finish(mut self) -> io::Result<bool> {
        self.progress.clear();
        // After an interrupt, scenarios that ended wait behind one that did not.
        for result in std::mem::take(&mut self.waiting).into_iter().flatten() {
            self.print(&result);
        }
        let count = |grade| self.rows.iter().filter(|row| row.grade() == grade).count();
        let (good, limited) = (count(Grade::AsInjected), count(Grade::Limited));
        let all = self.cases.len();
        if self.failed.is_none() && self.output != OutputFormat::Json {
            let mut text = table::draw(&self.rows, self.look);
            let time = human::seconds(self.began.elapsed().as_secs_f64());
            let limits = match limited {
                0 => String::new(),
                limited => format!(", {limited} not fully visible on this kernel"),
            };
            text.push_str(&format!("\n{good} of {all} as injected{limits}, in {time}\n"));
            self.failed = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush()).err();
        }
        match self.failed {
            Some(error) if !reader_gone(&error) => Err(error),
            _ => Ok(good + limited == all),
        }
    }
}
