//! A provider within a budget, over real connections and a clock of the test's.

use std::sync::Mutex;
use std::time::Duration;

use operator_llm::{Budget, Metered, Pace, Patience, Price, Provider, ProviderError, ProviderSettings};
use operator_protocols::BoxFuture;

use super::{FORMATS, LONG, plain, send, send_within, whole_settings};
use crate::server::{Scripted, Step, answer, json};

/// Time that passes only where the code waits.
struct Still {
    now: Mutex<Duration>,
    waits: Mutex<Vec<Duration>>,
}

impl Still {
    fn new() -> Self {
        Self { now: Mutex::new(Duration::from_secs(1000)), waits: Mutex::default() }
    }

    fn waits(&self) -> Vec<u64> {
        self.waits.lock().expect("no panic").iter().map(Duration::as_secs).collect()
    }
}

impl Pace for Still {
    fn now(&self) -> Duration {
        *self.now.lock().expect("no panic")
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'_, ()> {
        *self.now.lock().expect("no panic") += time;
        self.waits.lock().expect("no panic").push(time);
        Box::pin(std::future::ready(()))
    }

    fn chance(&self) -> f64 {
        0.0
    }
}

const WIDE: Budget = Budget { turns: 12, tokens: 100_000, seconds: 60, micro_usd: 1_000_000 };

fn busy(status: u16, seconds: u64) -> Vec<Step> {
    answer(status, &format!("content-type: application/json\r\nretry-after: {seconds}\r\n"), "{}")
}

fn priced(url: &str) -> ProviderSettings {
    ProviderSettings {
        price: Some(Price { input: 2_000, cached: 200, stored: 2_500, output: 10_000 }),
        ..whole_settings(url)
    }
}

#[tokio::test]
async fn a_busy_provider_is_asked_again_when_it_said_and_each_attempt_is_on_record() {
    for format in FORMATS {
        let server = Scripted::start(vec![busy(429, 7), busy(529, 9), json(200, &format.whole("C3"))]).await;
        let provider = format.provider(&priced(server.url()));
        let pace = Still::new();
        let metered = Metered::new(&*provider, WIDE, Patience::default(), &pace);
        let reply = send(&metered, &plain()).await.expect("an answer at last");
        assert_eq!(reply.usage.cost_micro_usd, 70, "10 tokens at $2 and 5 at $10 a million");
        assert_eq!(metered.spent(), reply.usage, "being turned away costs nothing");
        assert_eq!(pace.waits(), [7, 9]);
        let statuses: Vec<_> =
            metered.turned_away().iter().map(|one| one.sent.as_ref().and_then(|sent| sent.status)).collect();
        assert_eq!(statuses, [Some(429), Some(529)]);
        let bodies: Vec<_> = server.seen().into_iter().map(|seen| seen.body).collect();
        assert!(bodies.iter().all(|body| *body == reply.request_body), "the same each time");
    }
}

#[tokio::test]
async fn patience_ends_with_the_attempts_or_with_the_time() {
    for format in FORMATS {
        let server = Scripted::start(vec![busy(503, 1), busy(503, 1), busy(503, 1), json(200, "{}")]).await;
        let provider = format.provider(&priced(server.url()));
        let pace = Still::new();
        let metered = Metered::new(&*provider, WIDE, Patience::default(), &pace);
        let failure = send(&metered, &plain()).await.expect_err("three attempts");
        assert!(matches!(failure.error, ProviderError::Busy { status: 503, .. }));
        assert_eq!(server.seen().len(), 3);

        for (seconds, limit) in [(61, LONG * 10), (31, LONG)] {
            let server = Scripted::start(vec![busy(429, seconds), json(200, &format.whole("too late"))]).await;
            let provider = format.provider(&priced(server.url()));
            let metered = Metered::new(&*provider, WIDE, Patience::default(), &pace);
            let failure = send_within(&metered, &plain(), limit).await.expect_err("no time for that");
            assert!(matches!(failure.error, ProviderError::Busy { .. }));
            assert_eq!(server.seen().len(), 1, "there is no point in waiting");
        }
    }
}

#[tokio::test]
async fn what_is_refused_or_lost_is_not_asked_again() {
    for format in FORMATS {
        for script in [json(400, "{}"), json(401, "{}"), json(500, "{}"), vec![], json(200, "garbled")] {
            let server = Scripted::start(vec![script, json(200, &format.whole("again"))]).await;
            let provider = format.provider(&priced(server.url()));
            let pace = Still::new();
            let metered = Metered::new(&*provider, WIDE, Patience::default(), &pace);
            send(&metered, &plain()).await.expect_err("no second attempt");
            assert_eq!((server.seen().len(), pace.waits()), (1, vec![]));
        }
    }
}

#[tokio::test]
async fn a_call_that_might_break_a_bound_is_not_made() {
    for format in FORMATS {
        for (budget, says) in [
            (Budget { turns: 0, ..WIDE }, "turns"),
            (Budget { tokens: 300, ..WIDE }, "tokens"),
            (Budget { seconds: 0, ..WIDE }, "seconds"),
            (Budget { micro_usd: 3_000, ..WIDE }, "millionths of a dollar"),
        ] {
            let server = Scripted::start(vec![json(200, &format.whole("too much"))]).await;
            let provider = format.provider(&priced(server.url()));
            let pace = Still::new();
            let metered = Metered::new(&*provider, budget, Patience::default(), &pace);
            let failure = send(&metered, &plain()).await.expect_err("over");
            assert!(matches!(&failure.error, ProviderError::Budget { why } if why.contains(says)), "{failure}");
            assert_eq!((server.seen(), failure.sent), (vec![], None), "nothing was sent");
        }
    }
}

#[tokio::test]
async fn what_is_lost_counts_in_full_so_that_a_broken_provider_is_not_fed_for_ever() {
    for format in FORMATS {
        let server = Scripted::start((0..9).map(|_| vec![]).collect()).await;
        let provider = format.provider(&priced(server.url()));
        let pace = Still::new();
        let metered = Metered::new(&*provider, Budget { micro_usd: 7_000, ..WIDE }, Patience::default(), &pace);
        let errors: Vec<_> =
            [send(&metered, &plain()).await, send(&metered, &plain()).await, send(&metered, &plain()).await]
                .map(|result| result.expect_err("nothing").error)
                .into();
        assert!(matches!(errors[..2], [ProviderError::Lost { .. }, ProviderError::Lost { .. }]), "{errors:?}");
        assert!(matches!(errors[2], ProviderError::Budget { .. }), "300 tokens at $10 a million, twice: {errors:?}");
        assert_eq!(server.seen().len(), 2);
    }
}

/// What is set aside must not be less than what a real model's own dictionary makes of the same text.
#[tokio::test]
async fn as_much_is_set_aside_as_a_real_model_reads() {
    for (format, name) in FORMATS.into_iter().zip(["messages-tools", "chat-tools"]) {
        let (_, request) = super::recordings::said(name);
        let counted = 751;
        let exactly = Budget { tokens: counted + u64::from(request.max_output_tokens), ..WIDE };
        let server = Scripted::start(vec![json(200, "{}")]).await;
        let provider = format.provider(&priced(server.url()));
        let pace = Still::new();
        let failure = send(&Metered::new(&*provider, exactly, Patience::default(), &pace), &request).await;
        let failure = failure.expect_err("more than that is set aside");
        assert!(matches!(failure.error, ProviderError::Budget { .. }), "{failure}");
        let roomy = Budget { tokens: 3 * counted + u64::from(request.max_output_tokens), ..WIDE };
        let failure = send(&Metered::new(&*provider, roomy, Patience::default(), &pace), &request).await;
        let error = failure.expect_err("no answer of the format").error;
        assert!(matches!(error, ProviderError::Garbled { .. }), "but not much more: {error}");
    }
}

#[tokio::test]
async fn a_metered_provider_is_in_everything_else_the_one_it_meters() {
    for format in FORMATS {
        let provider = format.provider(&priced("http://127.0.0.1:1"));
        let pace = Still::new();
        let metered = Metered::new(&*provider, WIDE, Patience::default(), &pace);
        assert_eq!((metered.name(), metered.model()), (provider.name(), "local"));
        assert_eq!((metered.uses_tools(), metered.price()), (true, provider.price()));
    }
}
