//! Many requests at once against a server that misbehaves by a seed: every answer that is called a
//! success is the right one, whole.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::*;

/// What the server does with one request.
fn draw(seed: u64, connection: usize, request: usize) -> u64 {
    let mut hasher = DefaultHasher::new();
    (seed, connection, request).hash(&mut hasher);
    hasher.finish()
}

fn body_of(key: &str) -> String {
    let length = key.len() * 1_000 + key.bytes().map(usize::from).sum::<usize>() * 37 % 150_000;
    let mut body = key.repeat(length / key.len() + 1);
    body.truncate(length);
    body
}

async fn misbehave(seed: u64, connection: usize, mut peer: Peer) {
    for request in 0.. {
        let Some(seen) = peer.read_request().await else {
            return;
        };
        let path = seen.line.split(' ').nth(1).unwrap();
        let key = path.strip_prefix("/photos/").unwrap();
        let body = if seen.line.starts_with("PUT") {
            assert_eq!(
                seen.body,
                body_of(key).as_bytes(),
                "an upload of another key"
            );
            key.to_owned()
        } else {
            body_of(key)
        };
        let (half, _) = body.split_at(body.len() / 2);
        match draw(seed, connection, request) % 12 {
            0 => return,
            1 => return peer.reset(),
            2 => peer.send(&refuse("503 Slow Down", "SlowDown")).await,
            3 => {
                let length = body.len();
                peer.send(&format!(
                    "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{half}"
                ))
                .await;
                return;
            }
            4 => {
                peer.send(&ok(&body)).await;
                return;
            }
            5 => {
                let rest = &body[half.len()..];
                let (one, two) = (half.len(), rest.len());
                peer.send(&format!(
                    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\
                     {one:x}\r\n{half}\r\n{two:x}\r\n{rest}\r\n0\r\n\r\n"
                ))
                .await;
            }
            6 => {
                peer.send(&answer("200 OK", "connection: close\r\n", &body))
                    .await;
                return;
            }
            7 => {
                peer.send("HTTP/1.1 2").await;
                return;
            }
            _ => peer.send(&ok(&body)).await,
        }
    }
}

async fn one_request(client: AwsClient, number: usize) -> Option<Result<()>> {
    let key = format!("key-{number}");
    if number.is_multiple_of(3) {
        let mut request = put(Payload::from_bytes(body_of(&key)));
        request.key = Some(Key::new(key.as_str()).unwrap());
        return Some(client.send(request).await.map(|response| {
            assert_eq!(response.body.into_bytes(), key);
        }));
    }
    let response = match client.send(get(&key)).await {
        Ok(response) => response,
        Err(error) => return Some(Err(error)),
    };
    let mut body = response.body.into_stream();
    if number.is_multiple_of(7) {
        // Given up halfway.
        body.frame().await;
        return None;
    }
    Some(body.collect().await.map(|bytes| {
        assert_eq!(bytes, body_of(&key), "{key}");
    }))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_the_server_does_a_success_is_the_right_answer_whole() {
    for seed in 0..4 {
        let server =
            Hostile::start(move |connection, peer| misbehave(seed, connection, peer)).await;
        let mut options = options(&server.url());
        options.retry.tries_max = 30;
        let client = AwsClient::new(options).await.unwrap();
        let sending = (0..300).map(|number| one_request(client.clone(), number));
        let mut successes = 0;
        for outcome in futures_util::future::join_all(sending)
            .await
            .into_iter()
            .flatten()
        {
            match outcome {
                Ok(()) => successes += 1,
                Err(error) => assert!(error.fault().is_retryable(), "seed {seed}: {error:?}"),
            }
        }
        // Only bodies that break off after their head are left to the caller.
        assert!(successes > 150, "seed {seed}: {successes}");
        let counters = client.counters();
        drop(client);
        until("every connection is closed", || {
            counters.read().connections_open == 0
        })
        .await;
    }
}
