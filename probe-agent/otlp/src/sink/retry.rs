//! Retries within the timeout of a batch (OTLP specification, "Failures" and "OTLP/HTTP Throttling"):
//! exponential backoff with jitter, or the receiver's own delay if it gives one.

use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};

use tokio::time::{Instant, sleep, timeout_at};

use super::Answer;

/// The first pause: short, because a collector that restarts is often back at once.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest pause unless the receiver asks for a longer one.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The result of one attempt.
pub(super) enum Attempt {
    /// Final.
    Done(Answer),
    /// May be retried.
    Retry {
        /// The cause.
        why: String,
        /// How long the receiver asked to wait.
        after: Option<Duration>,
    },
}

/// Retries until an attempt is final; takes at most `within`.
pub(super) async fn deliver(within: Duration, mut attempt: impl AsyncFnMut() -> Attempt) -> Answer {
    let end = Instant::now() + within;
    let mut pause = FIRST_PAUSE;
    let mut last: Option<String> = None;
    loop {
        let (why, after) = match timeout_at(end, attempt()).await {
            Ok(Attempt::Done(answer)) => return answer,
            Ok(Attempt::Retry { why, after }) => (why, after),
            // The failure of an earlier attempt says more than a last one that was cut short.
            Err(_) => {
                let silent = || format!("no answer within {within:?}");
                return Answer::Failed { why: last.unwrap_or_else(silent) };
            }
        };
        // A receiver may ask for no delay at all, or for one of centuries.
        let wait = after.unwrap_or_else(|| jitter(pause)).max(FIRST_PAUSE / 2);
        if wait >= end.saturating_duration_since(Instant::now()) {
            return Answer::Failed { why };
        }
        sleep(wait).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
        last = Some(why);
    }
}

/// Between half of a pause and all of it, so that agents that lost a collector together do not retry
/// together.
fn jitter(pause: Duration) -> Duration {
    let random = RandomState::new().hash_one(()) % 512;
    pause / 2 + pause * u32::try_from(random).unwrap_or_default() / 1024
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Answer, Attempt, deliver, jitter};

    const TAKEN: Answer = Answer::Accepted { rejected: 0, message: String::new() };

    fn again() -> Attempt {
        Attempt::Retry { why: "busy".into(), after: None }
    }

    #[tokio::test(start_paused = true)]
    async fn retryable_failures_are_retried() {
        let mut attempts = 0;
        let answer = deliver(Duration::from_secs(10), async || {
            attempts += 1;
            if attempts < 4 { again() } else { Attempt::Done(TAKEN) }
        });
        assert_eq!(answer.await, TAKEN);
        assert_eq!(attempts, 4);
    }

    #[tokio::test(start_paused = true)]
    async fn it_ends_in_time_with_the_last_reason() {
        let start = tokio::time::Instant::now();
        let answer = deliver(Duration::from_secs(10), async || again()).await;
        assert_eq!(answer, Answer::Failed { why: "busy".into() });
        assert!(start.elapsed() <= Duration::from_secs(10));
        let answer = deliver(Duration::from_secs(10), std::future::pending).await;
        assert_eq!(answer, Answer::Failed { why: "no answer within 10s".into() });
    }

    #[tokio::test(start_paused = true)]
    async fn the_receivers_delay_is_respected() {
        let start = tokio::time::Instant::now();
        let mut attempts = 0;
        let answer = deliver(Duration::from_secs(10), async || {
            attempts += 1;
            let after = Some(Duration::from_secs(3));
            if attempts == 1 {
                Attempt::Retry { why: "busy".into(), after }
            } else {
                Attempt::Done(TAKEN)
            }
        });
        assert_eq!(answer.await, TAKEN);
        assert_eq!(start.elapsed(), Duration::from_secs(3));
    }

    #[tokio::test(start_paused = true)]
    async fn a_delay_beyond_the_batchs_time_is_not_waited_for() {
        let start = tokio::time::Instant::now();
        for delay in [Duration::from_secs(10), Duration::MAX] {
            let answer = deliver(Duration::from_secs(10), async || Attempt::Retry {
                why: "busy".into(),
                after: Some(delay),
            });
            assert_eq!(answer.await, Answer::Failed { why: "busy".into() });
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[test]
    fn jitter_stays_between_half_and_all() {
        for _ in 0..1000 {
            let pause = jitter(Duration::from_millis(100));
            assert!((50..=100).contains(&pause.as_millis()), "{pause:?}");
        }
    }
}
