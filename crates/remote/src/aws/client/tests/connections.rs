use super::*;

#[tokio::test]
async fn one_connection_serves_one_request_after_the_other() {
    let server = Hostile::answering(|_, _| ok("hello")).await;
    let client = client(&server.url()).await;
    for _ in 0..5 {
        let response = client.send(get("k")).await.unwrap();
        assert_eq!(read(response).await.unwrap(), "hello");
        client.send(list()).await.unwrap();
    }
    assert_eq!(server.connections(), 1);
    let counts = client.counters().read();
    assert_eq!((counts.requests, counts.retries), (10, 0));
    assert_eq!((counts.connections_opened, counts.connections_open), (1, 1));
}

#[tokio::test]
async fn a_connection_closed_at_rest_costs_no_try() {
    let server = Hostile::start(|number, mut peer: Peer| async move {
        peer.read_request().await;
        peer.send(&ok("x")).await;
        if number == 0 {
            // Takes the second request, and closes without a word.
            peer.read_head().await;
            return;
        }
        peer.until_closed().await;
    })
    .await;
    let mut options = options(&server.url());
    options.retry = RetryPolicy::once();
    let client = AwsClient::new(options).await.unwrap();
    client.send(list()).await.unwrap();
    let upload = put(Payload::from_bytes(ramp(1_000)));
    client.send(upload).await.unwrap();
    assert_eq!(server.connections(), 2);
    assert_eq!(server.seen()[1].body, ramp(1_000));
}

#[tokio::test]
async fn idle_connections_are_closed_after_a_while() {
    let server = Hostile::answering(|_, _| ok("x")).await;
    let mut options = options(&server.url());
    options.timeouts.idle = Duration::from_millis(20);
    let client = AwsClient::new(options).await.unwrap();
    client.send(list()).await.unwrap();
    let counters = client.counters();
    until("the idle connection is closed", || {
        counters.read().connections_open == 0
    })
    .await;
}

#[tokio::test]
async fn dropping_a_request_closes_its_connection() {
    let server = Hostile::start(|_, mut peer: Peer| async move {
        peer.read_request().await;
        peer.until_closed().await;
    })
    .await;
    let client = client(&server.url()).await;
    let counters = client.counters();
    let sending = tokio::time::timeout(Duration::from_millis(50), client.send(list()));
    sending.await.unwrap_err();
    until("the connection is closed", || {
        counters.read().connections_open == 0
    })
    .await;
}

#[tokio::test]
async fn a_body_given_up_does_not_leave_its_bytes_to_the_next_answer() {
    let server = Hostile::start(|_, mut peer: Peer| async move {
        while let Some(seen) = peer.read_request().await {
            let long = seen.line.contains("long");
            let body = if long {
                "z".repeat(1 << 20)
            } else {
                "short".to_owned()
            };
            peer.send(&ok(&body)).await;
        }
    })
    .await;
    let client = client(&server.url()).await;
    for key in ["long", "short", "short"] {
        drop(client.send(get(key)).await.unwrap());
    }
    let response = client.send(get("short")).await.unwrap();
    assert_eq!(read(response).await.unwrap(), "short");
}

#[tokio::test]
async fn a_refused_port_is_unavailable_and_tried_again() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let error = client(&url).await.send(list()).await.unwrap_err();
    assert_eq!(error.fault(), Fault::Unavailable);
    assert_eq!(
        error.to_string(),
        "ListObjectsV2 s3://photos: no connection"
    );
}

#[tokio::test]
async fn a_name_with_two_families_finds_the_one_that_listens() {
    let server = Hostile::answering(|_, _| ok("x")).await;
    let url = format!("http://localhost:{}", server.address.port());
    client(&url).await.send(list()).await.unwrap();
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn congestion_control_is_set_or_refused_by_name() {
    let server = Hostile::answering(|_, _| ok("x")).await;
    let mut known = options(&server.url());
    known.tcp_congestion = Some("reno".to_owned());
    AwsClient::new(known)
        .await
        .unwrap()
        .send(list())
        .await
        .unwrap();
    let mut unknown = options(&server.url());
    unknown.tcp_congestion = Some("no-such-thing".to_owned());
    let client = AwsClient::new(unknown).await.unwrap();
    let error = client.send(list()).await.unwrap_err();
    assert_eq!(error.fault(), Fault::Invalid);
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("no-such-thing"), "{cause}");
}

#[tokio::test]
async fn a_client_counted_apart_shares_the_connection_and_not_the_counts() {
    let server = Hostile::answering(|_, _| ok("hello")).await;
    let client = client(&server.url()).await;
    let apart = client.in_traffic(Traffic::default());
    for _ in 0..3 {
        read(client.send(get("k")).await.unwrap()).await.unwrap();
        client.send(list()).await.unwrap();
        apart.send(list()).await.unwrap();
    }
    assert_eq!(server.connections(), 1);
    let count = |client: &AwsClient| client.counters().read().requests;
    assert_eq!((count(&client), count(&apart)), (6, 3));
}

#[test]
fn options_are_the_same_client_whatever_counts_for_them() {
    let one = options("http://127.0.0.1:1");
    let counted = AwsOptions {
        traffic: Traffic::default(),
        ..one.clone()
    };
    assert!(one.same_client(&counted));
    let elsewhere = options("http://127.0.0.1:2");
    assert!(!one.same_client(&elsewhere));
    let somebody = AwsOptions {
        credentials: CredentialsSource::Static(StaticCredentials::new("AKID", "another")),
        ..one.clone()
    };
    assert!(!one.same_client(&somebody));
}
