//! Signed URLs.

use http::Method;

use crate::aws::AwsClient;
use crate::error::Result;
use crate::types::{Presign, PresignedMethod, SignedUrl};

pub(super) async fn presign(client: &AwsClient, presign: Presign) -> Result<SignedUrl> {
    let method = match presign.method {
        PresignedMethod::Get => Method::GET,
        PresignedMethod::Put => Method::PUT,
    };
    let version_id = presign.version_id.map(|id| id.to_string().into());
    let query = version_id
        .map(|id| ("versionId".into(), Some(id)))
        .into_iter()
        .collect();
    client
        .presign_url(
            method,
            &presign.bucket,
            &presign.key,
            query,
            presign.expires_in,
        )
        .await
}
