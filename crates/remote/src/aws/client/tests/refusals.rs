use super::*;

#[tokio::test]
async fn a_busy_store_is_asked_again_and_counted() {
    let server = Hostile::answering(|number, _| match number {
        0 => refuse("503 Slow Down", "SlowDown"),
        1 => refuse("500 Oops", "InternalError"),
        _ => ok("x"),
    })
    .await;
    let client = client(&server.url()).await;
    client.send(list()).await.unwrap();
    let counts = client.counters().read();
    assert_eq!(
        (counts.requests, counts.retries, counts.throttled),
        (3, 2, 1)
    );
}

#[tokio::test]
async fn a_final_refusal_names_everything_a_person_needs() {
    let server = Hostile::answering(|_, _| {
        let body = "<Error><Code>AccessDenied</Code><Message>no</Message></Error>";
        answer(
            "403 Forbidden",
            "x-amz-request-id: R1\r\nx-amz-id-2: H1\r\n",
            body,
        )
    })
    .await;
    let error = client(&server.url())
        .await
        .send(get("a b"))
        .await
        .unwrap_err();
    assert_eq!(error.fault(), Fault::Denied);
    assert_eq!(
        error.to_string(),
        "GetObject s3://photos/a b: AccessDenied: no (status 403, request id R1)"
    );
    assert_eq!(error.host_id(), Some("H1"));
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn aws_c_s3_622_an_error_in_a_200_is_an_error() {
    let server = Hostile::answering(|number, _| match number {
        0 => ok("<?xml version=\"1.0\"?>\n  <Error><Code>InternalError</Code></Error>"),
        _ => ok("<Error><Code>NoSuchUpload</Code></Error>"),
    })
    .await;
    let error = client(&server.url()).await.send(list()).await.unwrap_err();
    assert_eq!(error.code(), Some("NoSuchUpload"));
    assert_eq!(
        (error.status(), error.fault()),
        (Some(200), Fault::NotFound)
    );
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn an_object_that_looks_like_an_error_is_an_object() {
    let text = "<Error><Code>InternalError</Code></Error>";
    let server = Hostile::answering(move |_, _| ok(text)).await;
    let response = client(&server.url()).await.send(get("k")).await.unwrap();
    assert_eq!(read(response).await.unwrap(), text);
}

#[tokio::test]
async fn head_has_no_document_and_still_a_code() {
    let server =
        Hostile::answering(|_, _| "HTTP/1.1 404 NF\r\ncontent-length: 300\r\n\r\n".to_owned())
            .await;
    let client = client(&server.url()).await;
    for _ in 0..2 {
        let mut request = get("k");
        request.operation = Operation::HeadObject;
        request.method = Method::HEAD;
        let error = client.send(request).await.unwrap_err();
        assert_eq!(
            (error.code(), error.fault()),
            (Some("NotFound"), Fault::NotFound)
        );
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn an_early_refusal_of_an_upload_is_reported_not_a_broken_pipe() {
    for _ in 0..20 {
        let server = Hostile::start(|_, mut peer: Peer| async move {
            peer.read_head().await;
            peer.send(&refuse("403 Forbidden", "AccessDenied")).await;
            // Dropped with megabytes unread: the kernel resets the connection.
        })
        .await;
        let upload = put(Payload::from_bytes(ramp(8 << 20)));
        let error = client(&server.url()).await.send(upload).await.unwrap_err();
        assert_eq!(error.code(), Some("AccessDenied"), "{error:?}");
    }
}

#[tokio::test]
async fn a_yes_before_the_upload_is_over_is_not_believed() {
    let server = Hostile::start(|_, mut peer: Peer| async move {
        peer.read_head().await;
        peer.send(&ok("")).await;
        peer.hold().await;
    })
    .await;
    let mut options = options(&server.url());
    options.retry = RetryPolicy::once();
    let client = AwsClient::new(options).await.unwrap();
    let upload = put(Payload::from_bytes(ramp(32 << 20)));
    let error = client.send(upload).await.unwrap_err();
    assert_eq!(error.fault(), Fault::Unavailable);
}

#[tokio::test]
async fn a_connection_whose_upload_was_left_unread_is_not_waited_for() {
    // The smaller one fits into the kernel's buffers, the larger one does not.
    for size in [100_000, 16 << 20] {
        let server = Hostile::start(|number, mut peer: Peer| async move {
            if number == 0 {
                peer.read_head().await;
                peer.send(&refuse("403 Forbidden", "AccessDenied")).await;
                peer.hold().await;
            } else {
                peer.read_request().await;
                peer.send(&ok("x")).await;
                peer.until_closed().await;
            }
        })
        .await;
        let mut options = options(&server.url());
        options.timeouts.first_byte = Duration::from_secs(2);
        let client = AwsClient::new(options).await.unwrap();
        let upload = put(Payload::from_bytes(ramp(size)));
        let error = client.send(upload).await.unwrap_err();
        assert_eq!(error.code(), Some("AccessDenied"));
        client.send(list()).await.unwrap();
    }
}
