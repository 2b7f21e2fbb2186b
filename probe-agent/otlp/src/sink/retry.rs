//! Retries within the timeout of a batch (OTLP specification, "Failures" and "OTLP/HTTP Throttling"):
//! exponential backoff with jitter, or the receiver's own delay if it gives one.

use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};

use tokio::time::{Instant, sleep, timeout_at};

use super::{Answer, transport::NoAnswer};
use crate::stop::Stop;

/// The first pause: short, because a collector that restarts is often back at once.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest pause unless the receiver asks for a longer one.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What an answer means.
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

/// Sends until the answer is final. `within` bounds the wait for the head of an answer; `judge` reads the rest
/// of it and has a bound of its own, so an answer that has come counts. `send` receives the time that is left.
pub(super) async fn deliver<R>(
    within: Duration,
    stop: &mut Stop,
    mut send: impl AsyncFnMut(Duration) -> Result<R, NoAnswer>,
    mut judge: impl AsyncFnMut(R) -> Attempt,
) -> Answer {
    let end = Instant::now() + within;
    let left = || end.saturating_duration_since(Instant::now());
    let mut pause = FIRST_PAUSE;
    let mut last: Option<String> = None;
    loop {
        let Some(sent) = stop.unless(timeout_at(end, send(left()))).await else {
            return Answer::Unanswered;
        };
        let (why, after) = match sent {
            Ok(Ok(answer)) => match judge(answer).await {
                Attempt::Done(answer) => return answer,
                Attempt::Retry { why, after } => (why, after),
            },
            Ok(Err(NoAnswer::Final(why))) => return Answer::Failed { why },
            Ok(Err(NoAnswer::Nothing(why))) => (why, None),
            // The failure of an earlier attempt says more than a last one that was cut short.
            Err(_) => {
                let silent = || format!("no answer within {within:?}");
                return Answer::Failed { why: last.unwrap_or_else(silent) };
            }
        };
        // A receiver may ask for no delay at all, or for one of centuries.
        let wait = after.unwrap_or_else(|| jitter(pause)).max(FIRST_PAUSE / 2);
        if wait >= left() {
            return Answer::Failed { why };
        }
        if stop.unless(sleep(wait)).await.is_none() {
            return Answer::Unanswered;
        }
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

    use tokio::{
        sync::watch,
        time::{Instant, sleep},
    };

    use super::{Answer, Attempt, NoAnswer, Stop, deliver, jitter};

    const TAKEN: Answer = Answer::Accepted { rejected: 0, message: String::new() };
    const WITHIN: Duration = Duration::from_secs(10);

    fn busy(after: Option<Duration>) -> Attempt {
        Attempt::Retry { why: "busy".into(), after }
    }

    /// Delivers with an answer to each attempt; the deadline of the run never comes.
    async fn judged(mut judge: impl FnMut() -> Attempt) -> Answer {
        let (_run, stop) = watch::channel(None);
        let judge = async |()| judge();
        deliver(WITHIN, &mut Stop::new(stop), async |_| Ok(()), judge).await
    }

    #[tokio::test(start_paused = true)]
    async fn retryable_failures_are_retried() {
        let mut attempts = 0;
        let answer = judged(|| {
            attempts += 1;
            if attempts < 4 { busy(None) } else { Attempt::Done(TAKEN) }
        });
        assert_eq!(answer.await, TAKEN);
        assert_eq!(attempts, 4);
    }

    #[tokio::test(start_paused = true)]
    async fn it_ends_in_time_with_the_last_reason() {
        let start = Instant::now();
        assert_eq!(judged(|| busy(None)).await, Answer::Failed { why: "busy".into() });
        assert!(start.elapsed() <= WITHIN);
        let (_run, stop) = watch::channel(None);
        let silence = async |_| std::future::pending::<Result<(), NoAnswer>>().await;
        let unread = async |()| unreachable!();
        let answer = deliver(WITHIN, &mut Stop::new(stop), silence, unread).await;
        assert_eq!(answer, Answer::Failed { why: "no answer within 10s".into() });
    }

    #[tokio::test(start_paused = true)]
    async fn the_receivers_delay_is_respected() {
        let start = Instant::now();
        let mut attempts = 0;
        let answer = judged(|| {
            attempts += 1;
            let after = Some(Duration::from_secs(3));
            if attempts == 1 { busy(after) } else { Attempt::Done(TAKEN) }
        });
        assert_eq!(answer.await, TAKEN);
        assert_eq!(start.elapsed(), Duration::from_secs(3));
    }

    #[tokio::test(start_paused = true)]
    async fn a_delay_beyond_the_batchs_time_is_not_waited_for() {
        let start = Instant::now();
        for delay in [WITHIN, Duration::MAX] {
            let answer = judged(|| busy(Some(delay))).await;
            assert_eq!(answer, Answer::Failed { why: "busy".into() });
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_counts_even_if_reading_it_takes_longer_than_the_time_that_is_left() {
        let (_run, stop) = watch::channel(None);
        let late = async |left: Duration| {
            sleep(left - Duration::from_millis(1)).await;
            Ok(())
        };
        let read = async |()| {
            sleep(Duration::from_secs(1)).await;
            Attempt::Done(TAKEN)
        };
        assert_eq!(deliver(WITHIN, &mut Stop::new(stop), late, read).await, TAKEN);
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_request_without_any_answer_is_sent_again() {
        for (failure, attempts) in
            [(NoAnswer::Nothing("gone".into()), 2), (NoAnswer::Final("gone".into()), 1)]
        {
            let (_run, stop) = watch::channel(None);
            let (mut sent, mut failure) = (0, Some(failure));
            let send = async |_| {
                sent += 1;
                failure.take().map_or(Ok(()), Err)
            };
            let read = async |()| Attempt::Done(TAKEN);
            let answer = deliver(WITHIN, &mut Stop::new(stop), send, read).await;
            assert_eq!((answer == TAKEN, sent), (attempts == 2, attempts));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_of_the_run_ends_a_wait() {
        let end = Instant::now() + Duration::from_secs(2);
        let (_run, stop) = watch::channel(Some(end));
        let busy = async |()| busy(Some(Duration::from_secs(5)));
        let answer = deliver(WITHIN, &mut Stop::new(stop), async |_| Ok(()), busy).await;
        assert_eq!((answer, Instant::now()), (Answer::Unanswered, end));
    }

    #[test]
    fn jitter_stays_between_half_and_all() {
        for _ in 0..1000 {
            let pause = jitter(Duration::from_millis(100));
            assert!((50..=100).contains(&pause.as_millis()), "{pause:?}");
        }
    }
}
