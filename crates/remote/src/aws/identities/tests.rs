use std::sync::atomic::{AtomicU32, Ordering};

use aws_credential_types::Credentials;
use aws_credential_types::provider::future;

use super::*;

/// Gives keys numbered from 1, each good for ten minutes; fails while told to.
#[derive(Debug, Default)]
struct Shop {
    given: AtomicU32,
    failing: AtomicBool,
    clock: Mutex<Option<Clock>>,
}

#[derive(Debug)]
struct Handle(Arc<Shop>);

impl aws_credential_types::provider::ProvideCredentials for Handle {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let shop = Arc::clone(&self.0);
        future::ProvideCredentials::new(async move {
            let number = shop.given.fetch_add(1, Ordering::SeqCst) + 1;
            // Long enough for every other request to arrive meanwhile.
            tokio::time::sleep(Duration::from_millis(100)).await;
            if shop.failing.load(Ordering::SeqCst) {
                return Err(CredentialsError::provider_error("the shop is closed"));
            }
            let clock = shop.clock.lock().clone().unwrap();
            let end = clock.now() + SignedDuration::from_mins(10);
            Ok(Credentials::new(
                format!("AK{number}"),
                "s",
                None,
                Some(end.into()),
                "test",
            ))
        })
    }
}

fn opened() -> (Arc<Shop>, Arc<Identities>) {
    let clock = Clock::seeded(Timestamp::from_second(1_000_000_000).unwrap(), 1);
    let shop = Arc::new(Shop::default());
    *shop.clock.lock() = Some(clock.clone());
    let provider = SharedCredentialsProvider::new(Handle(Arc::clone(&shop)));
    (shop, Arc::new(Identities::new(provider, None, clock)))
}

async fn many(identities: &Arc<Identities>) -> Vec<Result<String, NoCredentials>> {
    let asking = (0..50).map(|_| {
        let identities = Arc::clone(identities);
        async move { Ok(identities.current().await?.access_key_id.clone()) }
    });
    futures_util::future::join_all(asking).await
}

#[tokio::test(start_paused = true)]
async fn many_requests_load_once_and_again_before_the_end() {
    let (shop, identities) = opened();
    assert!(
        many(&identities)
            .await
            .iter()
            .all(|key| key.as_ref().unwrap() == "AK1")
    );
    assert_eq!(shop.given.load(Ordering::SeqCst), 1);

    tokio::time::advance(Duration::from_secs(8 * 60)).await;
    let keys = many(&identities).await;
    let renewed = keys
        .iter()
        .filter(|key| key.as_ref().unwrap() == "AK2")
        .count();
    assert_eq!(renewed, 1, "one renews, the others go on");
    assert_eq!(shop.given.load(Ordering::SeqCst), 2);
    assert!(
        many(&identities)
            .await
            .iter()
            .all(|key| key.as_ref().unwrap() == "AK2")
    );
}

#[tokio::test(start_paused = true)]
async fn a_failed_renewal_leaves_the_old_ones_until_they_end() {
    let (shop, identities) = opened();
    identities.current().await.unwrap();
    shop.failing.store(true, Ordering::SeqCst);
    tokio::time::advance(Duration::from_secs(8 * 60)).await;
    assert!(
        many(&identities)
            .await
            .iter()
            .all(|key| key.as_ref().unwrap() == "AK1")
    );
    tokio::time::advance(Duration::from_secs(2 * 60)).await;
    let asked_before = shop.given.load(Ordering::SeqCst);
    for result in many(&identities).await {
        let failure = result.unwrap_err();
        assert_eq!(failure.fault, Fault::Expired);
        assert!(failure.message.contains("the shop is closed"), "{failure}");
    }
    assert_eq!(shop.given.load(Ordering::SeqCst), asked_before + 1);
    shop.failing.store(false, Ordering::SeqCst);
    tokio::time::advance(FAILURE_STANDS).await;
    identities.current().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn many_refused_requests_renew_once() {
    let (shop, identities) = opened();
    let refused = identities.current().await.unwrap();
    let renewing = (0..50).map(|_| identities.renew(&refused));
    for renewed in futures_util::future::join_all(renewing).await {
        assert_eq!(renewed.unwrap().access_key_id, "AK2");
    }
    let second = identities.current().await.unwrap();
    identities.renew(&second).await.unwrap();
    assert_eq!(shop.given.load(Ordering::SeqCst), 2, "renewed just now");
    tokio::time::advance(RENEWAL_STANDS).await;
    assert_eq!(
        identities.renew(&second).await.unwrap().access_key_id,
        "AK3"
    );
}

#[tokio::test(start_paused = true)]
async fn a_refusal_makes_the_provider_anew() {
    let (_, identities) = opened();
    let first = identities.current().await.unwrap();
    assert_eq!(first.access_key_id, "AK1");
    let made = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&made);
    let anew: Anew = Box::new(move || {
        count.fetch_add(1, Ordering::SeqCst);
        let given = Credentials::new("ANEW", "s", None, None, "a file read again");
        Box::pin(std::future::ready(Some(SharedCredentialsProvider::new(
            given,
        ))))
    });
    let clock = Clock::seeded(Timestamp::UNIX_EPOCH, 1);
    let old = Credentials::new("OLD", "s", None, None, "a file");
    let identities = Identities::new(SharedCredentialsProvider::new(old), Some(anew), clock);
    assert_eq!(identities.current().await.unwrap().access_key_id, "OLD");
    assert_eq!(made.load(Ordering::SeqCst), 0);
    identities.forget();
    let renewed = identities.current().await.unwrap();
    assert_eq!(renewed.access_key_id, "ANEW");
    assert_eq!(renewed.provider.as_deref(), Some("a file read again"));
    assert_eq!(made.load(Ordering::SeqCst), 1);
    // Another refusal asks again.
    identities.renew(&renewed).await.unwrap();
    assert_eq!(made.load(Ordering::SeqCst), 2);
}
