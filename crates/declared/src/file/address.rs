//! Where something is reached: `host:port`, or an `http` address.

use reqwest::Url;

/// Whether a text is `host:port`.
pub(super) fn is_address(text: &str) -> bool {
    Url::parse(&format!("http://{text}/")).is_ok_and(|url| {
        // What else a URL may hold, or what it would have changed, is no address.
        url.path() == "/" && url.username().is_empty() && url.password().is_none() && authority(&url) == text
    })
}

/// What an address must look like, for errors.
pub(super) const ADDRESS: &str = "host:port in lower case, such as 127.0.0.1:9090";

/// The address that `text` names: a whole one, or a path on `host`.
pub(crate) fn http_url(text: &str, host: Option<&str>) -> Result<Url, String> {
    let whole = match (text.starts_with('/'), host) {
        (true, Some(host)) => format!("http://{host}{text}"),
        (true, None) => return Err(format!("the path {text:?} needs an address to go with")),
        (false, _) => text.to_owned(),
    };
    let right = "expected a path like /health, or an address like http://localhost:8080/health";
    let url = Url::parse(&whole).map_err(|error| format!("{right}, given {text:?}: {error}"))?;
    if url.scheme() != "http" {
        return Err(format!("{right}, given {text:?}: only http is spoken"));
    }
    if !url.username().is_empty() || url.password().is_some() || url.host_str().is_none() {
        return Err(format!("{right}, without a user or a password"));
    }
    Ok(url)
}

/// `host:port` of an address, the port written out.
pub(crate) fn authority(url: &Url) -> String {
    format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(80))
}
