//! The clients of one process: one for each way to ask a store.

use std::sync::Arc;

use remote::ObjectClient;
use remote::aws::{AwsClient, AwsOptions};
use tokio::sync::Mutex;

/// Clients made so far; a handful, since only sides and regions differ.
#[derive(Debug, Default)]
pub(super) struct Clients(Mutex<Vec<(AwsOptions, AwsClient)>>);

impl Clients {
    /// The client that `options` ask for, counted and held back by their traffic. Two sides with equal options
    /// share connections, credentials and what was learnt of the store.
    pub(super) async fn client(
        &self,
        options: AwsOptions,
    ) -> Result<Arc<dyn ObjectClient>, remote::Error> {
        let mut made = self.0.lock().await;
        let known = made.iter().find(|(of, _)| of.same_client(&options));
        if let Some((_, client)) = known {
            return Ok(Arc::new(client.in_traffic(options.traffic)));
        }
        let client = Box::pin(AwsClient::new(options.clone())).await?;
        made.push((options, client.clone()));
        Ok(Arc::new(client))
    }
}
