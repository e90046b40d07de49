//! The body of an HTTP answer, read within a bound: whoever answers may be broken or hostile.

use reqwest::Response;

/// Why a body could not be read.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// It is longer than allowed; reading stopped there.
    #[error("the answer is longer than {limit} bytes")]
    TooLarge {
        /// The bound, in bytes.
        limit: usize,
    },
    /// It broke off, or did not come in time.
    #[error("the answer broke off after {received} bytes")]
    Incomplete {
        /// How much had come, in bytes.
        received: usize,
        /// What went wrong.
        #[source]
        source: reqwest::Error,
    },
}

/// Reads the whole body of `response`, at most `limit` bytes of it. What a `Content-Length` announces is only used to
/// refuse early; the bytes are counted as they come.
///
/// # Errors
/// [`BodyError::TooLarge`] beyond the limit, [`BodyError::Incomplete`] when the connection broke or timed out.
pub async fn read_bounded(mut response: Response, limit: usize) -> Result<Vec<u8>, BodyError> {
    if response.content_length().is_some_and(|length| length > limit as u64) {
        return Err(BodyError::TooLarge { limit });
    }
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > limit => return Err(BodyError::TooLarge { limit }),
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Ok(body),
            Err(source) => return Err(BodyError::Incomplete { received: body.len(), source }),
        }
    }
}
