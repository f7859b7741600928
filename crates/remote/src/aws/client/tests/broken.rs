use super::*;

fn hasty(url: &str) -> AwsOptions {
    AwsOptions {
        timeouts: Timeouts {
            first_byte: Duration::from_millis(60),
            stall: Duration::from_millis(60),
            ..Timeouts::default()
        },
        retry: RetryPolicy::once(),
        ..options(url)
    }
}

#[tokio::test]
async fn a_store_that_says_nothing_is_unavailable() {
    let server = Hostile::start(|_, mut peer: Peer| async move {
        peer.read_request().await;
        peer.hold().await;
    })
    .await;
    let client = AwsClient::new(hasty(&server.url())).await.unwrap();
    let error = client.send(list()).await.unwrap_err();
    assert_eq!(error.fault(), Fault::Unavailable);
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(cause, "no answer within 0.06 s");
}

#[tokio::test]
async fn an_upload_that_is_not_taken_is_unavailable() {
    let server = Hostile::start(|_, mut peer: Peer| async move {
        peer.read_head().await;
        peer.hold().await;
    })
    .await;
    let client = AwsClient::new(hasty(&server.url())).await.unwrap();
    let upload = put(Payload::from_bytes(ramp(32 << 20)));
    let error = client.send(upload).await.unwrap_err();
    assert_eq!(error.fault(), Fault::Unavailable);
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.starts_with("no byte of the upload"), "{cause}");
}

#[tokio::test]
async fn a_slow_upload_is_no_stall_while_it_moves() {
    let server = Hostile::start(|_, mut peer: Peer| async move {
        peer.read_head().await.unwrap();
        for _ in 0..128 {
            peer.read_some(256 << 10).await;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        peer.send(&ok("")).await;
        peer.until_closed().await;
    })
    .await;
    let mut options = hasty(&server.url());
    // Well above one pause of the server's, below all of them together.
    options.timeouts.stall = Duration::from_secs(1);
    options.timeouts.first_byte = Duration::from_secs(30);
    let client = AwsClient::new(options).await.unwrap();
    client
        .send(put(Payload::from_bytes(ramp(32 << 20))))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_body_that_stalls_breaks_or_ends_early_is_an_error() {
    let server = Hostile::start(|_, mut peer: Peer| async move {
        let seen = peer.read_request().await.unwrap();
        peer.send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n12345")
            .await;
        if seen.line.contains("stall") {
            peer.hold().await;
        } else if seen.line.contains("reset") {
            peer.reset();
        }
    })
    .await;
    let mut options = hasty(&server.url());
    // The heads come, however busy the machine is.
    options.timeouts.first_byte = Duration::from_secs(30);
    options.timeouts.stall = Duration::from_millis(200);
    let client = AwsClient::new(options).await.unwrap();
    for key in ["stall", "reset", "short"] {
        let response = client.send(get(key)).await.unwrap();
        let error = read(response).await.unwrap_err();
        assert_eq!(error.fault(), Fault::Unavailable, "{key}");
        assert_eq!(error.key(), Some(key));
    }
    let counters = client.counters();
    until("all is closed", || counters.read().connections_open == 0).await;
}

#[tokio::test]
async fn a_buffered_answer_that_breaks_is_tried_again() {
    let server = Hostile::start(|number, mut peer: Peer| async move {
        peer.read_request().await.unwrap();
        if number == 0 {
            peer.send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n12345")
                .await;
        } else {
            peer.send(&ok("1234567890")).await;
            peer.until_closed().await;
        }
    })
    .await;
    let response = client(&server.url()).await.send(list()).await.unwrap();
    assert_eq!(response.body.into_bytes(), "1234567890");
}

#[tokio::test]
async fn answers_in_chunks_and_up_to_the_end_of_the_connection_are_read_whole() {
    let server = Hostile::start(|number, mut peer: Peer| async move {
        peer.read_request().await.unwrap();
        if number == 0 {
            peer.send("HTTP/1.1 200 OK\r\n\r\nup to the end").await;
        } else {
            let chunks = "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
            peer.send(&format!(
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{chunks}"
            ))
            .await;
            peer.until_closed().await;
        }
    })
    .await;
    let client = client(&server.url()).await;
    let response = client.send(list()).await.unwrap();
    assert_eq!(response.body.into_bytes(), "up to the end");
    let response = client.send(get("k")).await.unwrap();
    assert_eq!(read(response).await.unwrap(), "abcde");
}

#[tokio::test]
async fn an_answer_without_end_is_cut() {
    let server = Hostile::answering(|_, _| ok(&"x".repeat(5_000))).await;
    let mut request = list();
    request.reply = ReplyBody::Buffered(ByteCount(4_999));
    let error = client(&server.url()).await.send(request).await.unwrap_err();
    assert_eq!(error.fault(), Fault::Invalid);
}

#[tokio::test]
async fn a_copy_may_be_silent_for_longer_than_other_answers() {
    let server = Hostile::answering_late(Duration::from_millis(200)).await;
    let mut options = hasty(&server.url());
    options.timeouts.first_byte_after_copy = Duration::from_secs(30);
    let client = AwsClient::new(options).await.unwrap();
    let mut request = list();
    request.operation = Operation::CompleteMultipartUpload;
    let response = client.send(request).await.unwrap();
    assert_eq!(response.body.into_bytes(), "  <Done/>");
    assert_eq!(
        client.send(list()).await.unwrap_err().fault(),
        Fault::Unavailable
    );
}
