//! Where a provider is: an address that may have a path in front of its own, and whether it may be spoken to in clear.

use std::net::IpAddr;

use hyper::Uri;

use crate::SettingsError;

/// A parsed base address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// Whether it is spoken to over TLS.
    pub(crate) is_tls: bool,
    /// The host, without brackets.
    pub(crate) host: String,
    /// The port.
    pub(crate) port: u16,
    /// What the `Host` header says.
    pub(crate) authority: String,
    /// What goes before every path; empty or `/…` without a slash at its end.
    pub(crate) prefix: String,
}

impl Endpoint {
    /// Parses a base address. In clear only this machine may be spoken to, unless `may_be_clear`.
    ///
    /// # Errors
    /// What is wrong with the address.
    pub(crate) fn parse(base_url: &str, may_be_clear: bool) -> Result<Self, SettingsError> {
        let wrong = |why: &str| SettingsError { field: "base_url", why: why.to_owned() };
        let uri: Uri =
            base_url.trim().parse().map_err(|_| wrong("it is no address; https://HOST[:PORT][/PATH] is one"))?;
        let is_tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(wrong("it must begin with https:// (or http:// for this machine)")),
        };
        let authority = uri.authority().ok_or_else(|| wrong("it names no host"))?;
        // Whatever is in there would be shown wherever the address is.
        if authority.as_str().contains('@') {
            return Err(wrong("it must not hold a user or a password; the key comes from the environment or a file"));
        }
        if uri.query().is_some() {
            return Err(wrong("it must not have a query"));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() {
            return Err(wrong("it names no host"));
        }
        let port = match authority.port() {
            Some(port) => port.as_str().parse().map_err(|_| wrong("its port is no number from 1 to 65535"))?,
            None if is_tls => 443,
            None => 80,
        };
        let endpoint = Self {
            is_tls,
            host,
            port,
            authority: authority.as_str().to_owned(),
            prefix: uri.path().trim_end_matches('/').to_owned(),
        };
        if !is_tls && !may_be_clear && !endpoint.is_loopback() {
            return Err(wrong(
                "http:// would send evidence and key in clear; use https://, or allow it for a network that is trusted",
            ));
        }
        Ok(endpoint)
    }

    /// Whether it is this machine, by its name.
    pub(crate) fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_in_front_is_kept_and_a_slash_at_its_end_is_not() {
        let endpoint = Endpoint::parse("https://models.example/api/llm/", false).expect("an address");
        assert_eq!((&*endpoint.prefix, endpoint.port, &*endpoint.authority), ("/api/llm", 443, "models.example"));
        let endpoint = Endpoint::parse("http://[::1]:8080", false).expect("this machine");
        assert_eq!((&*endpoint.host, endpoint.port, &*endpoint.prefix), ("::1", 8080, ""));
    }

    #[test]
    fn nothing_goes_in_clear_over_a_network_unless_it_is_allowed() {
        for clear in ["http://models.example", "http://10.0.0.7:8080", "http://localhost.models.example"] {
            let refused = Endpoint::parse(clear, false).expect_err(clear);
            assert!(refused.to_string().contains("in clear"), "{refused}");
            assert!(Endpoint::parse(clear, true).is_ok());
        }
        for here in ["http://localhost:1", "http://127.0.0.1:1", "http://127.8.0.1", "http://[::1]"] {
            assert!(Endpoint::parse(here, false).is_ok(), "{here}");
        }
    }

    #[test]
    fn what_is_no_base_address_is_refused_without_repeating_it() {
        for bad in [
            "",
            "models.example",
            "ftp://x",
            "https://",
            "https://u:hunter2@x/",
            "https://x/?key=hunter2",
            "https://x:0x",
        ] {
            let refused = Endpoint::parse(bad, true).expect_err(bad);
            assert_eq!(refused.field, "base_url");
            assert!(!refused.to_string().contains("hunter2"), "{refused}");
        }
    }
}
