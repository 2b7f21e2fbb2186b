//! `/healthz` and `/readyz`: from facts about the agent to an answer, without asking anybody else.

use std::{pin::Pin, sync::Arc, time::Duration};

use http::StatusCode;

use crate::{
    request::Request,
    response::Response,
    routes::{Handler, Route},
};

/// A worker whose last turn is older than this is late: a turn takes milliseconds, and waits for 0.1 s at most.
const LATE: Duration = Duration::from_secs(2);
/// A worker that makes no turn for this long will not make another: only a restart helps.
const DEAD: Duration = Duration::from_secs(30);

/// The programs that observe probes in the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hooks {
    /// They are being loaded.
    Loading,
    /// All are attached.
    Attached,
    /// Some or all cannot be attached, and the agent goes on without them: what is missing.
    Degraded(Vec<String>),
    /// They are required and cannot be attached: what is missing.
    Missing(Vec<String>),
}

/// The facts that decide whether the agent is alive and ready. Whether a collector can be reached is none of them:
/// probes do not depend on it, and a restart does not bring it back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// What is wrong with the configuration, if there is none in force.
    pub configuration: Result<(), String>,
    /// The hooks.
    pub hooks: Hooks,
    /// How long ago each worker began its last turn; `None` before its first.
    pub workers: Vec<Option<Duration>>,
}

impl State {
    /// Why a restart is needed. Nothing, if the agent is alive.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        self.late(DEAD)
    }

    /// Why the agent does not probe all of its targets. Nothing, if it is ready.
    #[must_use]
    pub fn obstacles(&self) -> Vec<String> {
        let mut obstacles = Vec::new();
        if let Err(problem) = &self.configuration {
            obstacles.push(format!("configuration: {problem}"));
        }
        match &self.hooks {
            Hooks::Loading => obstacles.push("hooks: being loaded".to_owned()),
            Hooks::Missing(missing) => {
                obstacles.extend(missing.iter().map(|missing| format!("hooks: {missing}")));
            }
            Hooks::Attached | Hooks::Degraded(_) => {}
        }
        if self.workers.is_empty() {
            obstacles.push("workers: none has started".to_owned());
        }
        for (number, _) in self.workers.iter().enumerate().filter(|(_, turn)| turn.is_none()) {
            obstacles.push(format!("workers: {number} has not started"));
        }
        obstacles.extend(self.late(LATE));
        obstacles
    }

    /// What the agent goes on without.
    fn restrictions(&self) -> impl Iterator<Item = String> {
        let missing = match &self.hooks {
            Hooks::Degraded(missing) => missing.as_slice(),
            Hooks::Loading | Hooks::Attached | Hooks::Missing(_) => &[],
        };
        missing.iter().map(|missing| format!("degraded: {missing}"))
    }

    fn late(&self, limit: Duration) -> Vec<String> {
        let late = |(number, since): (usize, &Option<Duration>)| {
            let since = since.filter(|since| *since > limit)?;
            Some(format!("workers: {number} made no turn for {:.1} s", since.as_secs_f64()))
        };
        self.workers.iter().enumerate().filter_map(late).collect()
    }
}

/// Where the facts come from.
pub trait HealthSource: Send + Sync + 'static {
    /// The facts as they are now.
    fn state(&self) -> State;
}

/// The routes of both questions. They are open to all; without the token, they answer without reasons.
#[must_use]
pub fn health_routes(source: Arc<dyn HealthSource>) -> [Route; 2] {
    let route = |path, title, question| Route {
        path,
        title,
        is_open: true,
        at_once: 16,
        handler: Arc::new(Health { source: Arc::clone(&source), question }),
    };
    [
        route("/healthz", "whether the agent is alive; if not, restart it", Question::Alive),
        route("/readyz", "whether it probes, and what it goes on without", Question::Ready),
    ]
}

#[derive(Clone, Copy)]
enum Question {
    Alive,
    Ready,
}

struct Health {
    source: Arc<dyn HealthSource>,
    question: Question,
}

impl Handler for Health {
    fn call(&self, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send + '_>> {
        let state = self.source.state();
        let (problems, word) = match self.question {
            Question::Alive => (state.faults(), "ok"),
            Question::Ready => (state.obstacles(), "ready"),
        };
        let (status, first) = if problems.is_empty() {
            (StatusCode::OK, word.to_owned())
        } else {
            (StatusCode::SERVICE_UNAVAILABLE, format!("not {word}"))
        };
        let mut lines = vec![first];
        if request.is_authorized() {
            lines.extend(problems);
            if let Question::Ready = self.question {
                lines.extend(state.restrictions());
            }
        }
        let text = lines.join("\n") + "\n";
        Box::pin(std::future::ready(Response::text(status, text)))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Hooks, State};

    const TURN: Option<Duration> = Some(Duration::from_millis(100));

    fn ready() -> State {
        State { configuration: Ok(()), hooks: Hooks::Attached, workers: vec![TURN, TURN] }
    }

    #[test]
    fn each_obstacle_is_named() {
        assert_eq!(ready().obstacles(), [""; 0]);
        let degraded = Hooks::Degraded(vec!["no BTF".to_owned()]);
        assert_eq!(State { hooks: degraded, ..ready() }.obstacles(), [""; 0]);
        for (state, reason) in [
            (State { configuration: Err("line 3".to_owned()), ..ready() }, "configuration: line 3"),
            (State { hooks: Hooks::Loading, ..ready() }, "hooks: being loaded"),
            (
                State { hooks: Hooks::Missing(vec!["no BTF".to_owned()]), ..ready() },
                "hooks: no BTF",
            ),
            (State { workers: Vec::new(), ..ready() }, "workers: none has started"),
            (State { workers: vec![TURN, None], ..ready() }, "workers: 1 has not started"),
            (
                State { workers: vec![TURN, Some(Duration::from_millis(2_100))], ..ready() },
                "workers: 1 made no turn for 2.1 s",
            ),
        ] {
            assert_eq!(state.obstacles(), [reason]);
            assert_eq!(state.faults(), [""; 0], "a restart does not help: {reason}");
        }
    }

    #[test]
    fn only_a_worker_that_hangs_calls_for_a_restart() {
        let hangs = State { workers: vec![Some(Duration::from_secs(31))], ..ready() };
        assert_eq!(hangs.faults(), ["workers: 0 made no turn for 31.0 s"]);
    }
}
