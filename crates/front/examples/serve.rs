//! Serves an empty model: `serve [ADDRESS [ACCESS_KEY SECRET_KEY]]`.

use base::Clock;
use base::redact::Secret;
use front::{Account, FrontOptions, Server};
use store::Model;
use store::model::ModelOptions;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let argument = |index: usize, default: &str| {
        let given = arguments.get(index).map(String::as_str);
        given.unwrap_or(default).to_owned()
    };
    let options = FrontOptions {
        accounts: vec![Account {
            access_key_id: argument(1, "TESTACCESSKEY"),
            secret: Secret::new(argument(2, "testsecretkey")),
        }],
        ..FrontOptions::default()
    };
    let model = Model::new(Clock::system(), ModelOptions::default());
    let address = argument(0, "127.0.0.1:0").parse()?;
    let server = Server::bind(address, model, options).await?;
    println!("http://{}", server.address());
    tokio::signal::ctrl_c().await?;
    server.shutdown().await;
    Ok(())
}
