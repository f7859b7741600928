use super::*;

#[tokio::test]
async fn the_region_a_store_names_is_signed_for_and_remembered() {
    let server = Hostile::answering(|_, seen: &Seen| {
        if seen.signed_region() == Some("garage") {
            return ok("x");
        }
        let body = "<Error><Code>AuthorizationHeaderMalformed</Code>\
                    <Region>garage</Region></Error>";
        answer("400 Bad Request", "", body)
    })
    .await;
    let client = client(&server.url()).await;
    client.send(list()).await.unwrap();
    client.send(list()).await.unwrap();
    let regions: Vec<String> = server
        .seen()
        .iter()
        .map(|seen| seen.signed_region().unwrap().to_owned())
        .collect();
    assert_eq!(regions, ["us-east-1", "garage", "garage"]);
}

#[tokio::test]
async fn head_learns_the_region_from_its_header() {
    let server = Hostile::answering(|_, seen: &Seen| {
        if seen.signed_region() == Some("eu-west-1") {
            return "HTTP/1.1 200 OK\r\n\r\n".to_owned();
        }
        "HTTP/1.1 301 Moved\r\nx-amz-bucket-region: eu-west-1\r\n\r\n".to_owned()
    })
    .await;
    let mut request = Request::new(Operation::HeadBucket, Method::HEAD).bucket(bucket());
    request.reply = ReplyBody::Streamed;
    client(&server.url()).await.send(request).await.unwrap();
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn a_redirect_to_another_host_is_followed_with_the_body() {
    let target = Hostile::answering(|_, _| ok("")).await;
    let location = format!("{}/photos/k", target.url());
    let server = Hostile::answering(move |_, _| {
        answer(
            "307 Temporary Redirect",
            &format!("location: {location}\r\n"),
            "",
        )
    })
    .await;
    let client = client(&server.url()).await;
    client
        .send(put(Payload::from_bytes(ramp(70_000))))
        .await
        .unwrap();
    assert_eq!(target.seen()[0].body, ramp(70_000));
    assert_eq!(
        target.seen()[0].header("host"),
        Some(target.address.to_string().as_str())
    );
    client.send(put(Payload::from_bytes("2"))).await.unwrap();
    assert_eq!((server.seen().len(), target.seen().len()), (1, 2));
}

#[tokio::test]
async fn a_redirect_in_a_circle_ends() {
    let server = Hostile::answering(|number, _| {
        let headers = format!("x-amz-bucket-region: r-{number}\r\n");
        answer("301 Moved", &headers, "")
    })
    .await;
    let error = client(&server.url()).await.send(list()).await.unwrap_err();
    assert_eq!(error.code(), Some("PermanentRedirect"));
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_corrected_for_later_requests_too() {
    let store_time = "Sun, 06 Nov 2033 08:49:37 GMT";
    let server = Hostile::answering(move |_, seen: &Seen| {
        if seen.header("x-amz-date").unwrap().starts_with("20331106T") {
            return ok("x");
        }
        let body = "<Error><Code>RequestTimeTooSkewed</Code></Error>";
        answer("403 Forbidden", &format!("date: {store_time}\r\n"), body)
    })
    .await;
    let client = client(&server.url()).await;
    client.send(list()).await.unwrap();
    client.send(list()).await.unwrap();
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn a_store_without_path_style_gets_the_bucket_in_the_host() {
    let server = Hostile::answering(|_, seen: &Seen| {
        if seen.header("host").unwrap().starts_with("photos.localhost") {
            return ok("x");
        }
        refuse("403 Forbidden", "SecondLevelDomainForbidden")
    })
    .await;
    let url = format!("http://localhost:{}", server.address.port());
    let client = client(&url).await;
    match client.send(list()).await {
        Ok(_) => assert!(server.seen()[1].line.starts_with("GET /?list-type=2 ")),
        // Not every resolver knows names below localhost: that it was tried is enough.
        Err(error) => assert_eq!(error.message(), "no connection"),
    }
    assert!(
        server.seen()[0]
            .line
            .starts_with("GET /photos?list-type=2 ")
    );
}

/// Gives keys numbered from 1, each once.
#[derive(Debug, Default)]
struct Numbered(AtomicI64);

impl ProvideCredentials for Numbered {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let number = self.0.fetch_add(1, Ordering::SeqCst) + 1;
        let credentials = Credentials::new(
            format!("AKID{number}"),
            "s",
            Some("t".to_owned()),
            None,
            "test",
        );
        future::ProvideCredentials::ready(Ok(credentials))
    }
}

fn configured(url: &str, provider: impl ProvideCredentials + 'static) -> Configured {
    Configured {
        endpoint_url: Some(url.to_owned()),
        region: "us-east-1".to_owned(),
        checksums_when_required: false,
        provider: Some(SharedCredentialsProvider::new(provider)),
    }
}

async fn with_provider(url: &str, provider: impl ProvideCredentials + 'static) -> AwsClient {
    let mut options = options(url);
    options.credentials = AwsOptions::default().credentials;
    AwsClient::with_configured(options, configured(url, provider), None)
        .await
        .unwrap()
}

#[tokio::test]
async fn expired_credentials_are_had_anew_once() {
    let server = Hostile::answering(|_, seen: &Seen| {
        if seen.header("authorization").unwrap().contains("AKID1/") {
            return refuse("400 Bad Request", "ExpiredToken");
        }
        ok("x")
    })
    .await;
    let client = with_provider(&server.url(), Numbered::default()).await;
    client.send(list()).await.unwrap();
    client.send(list()).await.unwrap();
    assert_eq!(server.seen().len(), 3);
    assert_eq!(server.seen()[0].header("x-amz-security-token"), Some("t"));
}

#[tokio::test]
async fn credentials_that_stay_expired_are_a_fault_of_their_own() {
    let server = Hostile::answering(|_, _| refuse("400 Bad Request", "ExpiredToken")).await;
    let client = with_provider(&server.url(), Numbered::default()).await;
    let error = client.send(list()).await.unwrap_err();
    assert_eq!(error.fault(), Fault::Expired);
    assert_eq!(server.seen().len(), 2);
}

#[derive(Debug)]
struct Nothing(Arc<AtomicI64>);

impl ProvideCredentials for Nothing {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        self.0.fetch_add(1, Ordering::SeqCst);
        let none = aws_credential_types::provider::error::CredentialsError::not_loaded("none");
        future::ProvideCredentials::ready(Err(none))
    }
}

#[tokio::test]
async fn without_credentials_the_error_has_the_name_people_know() {
    let asked = Arc::new(AtomicI64::new(0));
    let client = with_provider("http://127.0.0.1:1", Nothing(Arc::clone(&asked))).await;
    for _ in 0..3 {
        let error = client.send(list()).await.unwrap_err();
        assert_eq!(error.code(), Some("NoCredentialProviders"));
    }
    assert_eq!(
        asked.load(Ordering::SeqCst),
        1,
        "a failure stands for a moment"
    );
}

#[tokio::test]
async fn anonymous_requests_are_not_signed() {
    let server = Hostile::answering(|_, _| ok("x")).await;
    let mut options = options(&server.url());
    options.credentials = CredentialsSource::Anonymous;
    let client = AwsClient::new(options).await.unwrap();
    client.send(list()).await.unwrap();
    let seen = &server.seen()[0];
    assert_eq!(seen.header("authorization"), None);
    assert_eq!(seen.header("x-amz-date"), None);
    let key = Key::new("a b").unwrap();
    let url = client
        .presign_url(
            Method::GET,
            &bucket(),
            &key,
            Vec::new(),
            Duration::from_secs(5),
        )
        .await
        .unwrap();
    assert_eq!(url.expose(), format!("{}/photos/a%20b", server.url()));
}
