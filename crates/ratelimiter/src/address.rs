//! Where a node is reached: `host:port`, checked before anything connects to it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A host and a port. The host is a name, an IPv4 address, or an IPv6 address in brackets.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address {
    host: String,
    port: u16,
}

/// Why a text is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not host:port, such as 127.0.0.1:8000")]
pub struct AddressError(String);

impl Address {
    /// Reads `host:port`.
    ///
    /// # Errors
    /// When the text is anything else.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let error = || AddressError(text.chars().take(80).collect());
        let (host, port) = text.rsplit_once(':').ok_or_else(error)?;
        let named = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
        let bracketed = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .is_some_and(|host| host.parse::<std::net::Ipv6Addr>().is_ok());
        let port = if port.bytes().all(|byte| byte.is_ascii_digit()) { port.parse().unwrap_or(0) } else { 0 };
        // 253 is the longest name that DNS allows.
        if host.is_empty() || host.len() > 253 || !(named || bracketed) || port == 0 {
            return Err(error());
        }
        Ok(Self { host: host.to_owned(), port })
    }

    /// The host.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether two hosts are one: names of this machine count as the same.
    pub fn same_host(&self, host: &str) -> bool {
        fn local(host: &str) -> bool {
            matches!(host, "localhost" | "127.0.0.1" | "[::1]")
        }
        self.host.eq_ignore_ascii_case(host) || (local(&self.host) && local(host))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl TryFrom<String> for Address {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, AddressError> {
        Self::parse(&text)
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_host_and_a_port_are_an_address() {
        for text in ["127.0.0.1:8000", "node-1.example:1", "[::1]:65535"] {
            assert_eq!(Address::parse(text).map(|address| address.to_string()), Ok(text.to_owned()));
        }
        for text in
            ["", "localhost", ":80", "a:0", "a:65536", "a:+1", "http://a:1", "a/b:1", "a@b:1", "::1:80", "[x]:1"]
        {
            let error = Address::parse(text).expect_err(text).to_string();
            assert!(error.contains("such as 127.0.0.1:8000"), "{error}");
        }
    }

    #[test]
    fn this_machine_has_several_names() {
        let address = Address::parse("localhost:1").expect("an address");
        assert!(address.same_host("127.0.0.1") && address.same_host("LOCALHOST") && !address.same_host("10.0.0.1"));
    }
}
