//! Addresses as PD and Prometheus write them, brought into one form.

/// A host and a port, as far as they are there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Endpoint {
    /// In lower case, an IPv6 address without its brackets; empty if there is none.
    pub(super) host: String,
    /// The port.
    pub(super) port: Option<u16>,
}

impl Endpoint {
    /// Reads `host:port`, `[::1]:port`, `host`, or a URL of which only that counts.
    pub(super) fn of(text: &str) -> Self {
        let text = text.trim();
        let text = text.split_once("://").map_or(text, |(_, rest)| rest);
        let text = text.split('/').next().unwrap_or_default();
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => match port.parse() {
                Ok(port) => (host, Some(port)),
                Err(_) => (text, None),
            },
            _ => (text, None),
        };
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        Self { host: host.to_ascii_lowercase(), port }
    }

    /// Whether it says on which interface to listen, not where to connect.
    pub(super) fn is_anywhere(&self) -> bool {
        matches!(self.host.as_str(), "" | "0.0.0.0" | "::" | "*")
    }

    /// The first part of a name such as `tikv-0.tikv-peer.prod.svc`; none of an IP address.
    pub(super) fn short_name(&self) -> Option<&str> {
        let is_ip = self.host.parse::<std::net::IpAddr>().is_ok();
        (!is_ip).then(|| self.host.split('.').next().unwrap_or_default()).filter(|name| !name.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> (String, Option<u16>) {
        let endpoint = Endpoint::of(text);
        (endpoint.host, endpoint.port)
    }

    #[test]
    fn an_address_is_read_in_all_forms_it_is_written_in() {
        for (text, host, port) in [
            ("TiKV-0:20180", "tikv-0", Some(20180)),
            ("http://127.0.0.1:2379/", "127.0.0.1", Some(2379)),
            ("[fe80::1]:20180", "fe80::1", Some(20180)),
            ("fe80::1", "fe80::1", None),
            ("tikv-0.peer.svc", "tikv-0.peer.svc", None),
            ("", "", None),
            (":20180", "", Some(20180)),
            ("host:99999", "host:99999", None),
        ] {
            assert_eq!(of(text), (host.to_owned(), port), "{text}");
        }
    }

    #[test]
    fn an_address_to_listen_on_is_none_to_connect_to() {
        for text in ["", "0.0.0.0:20180", "[::]:20180", ":20180"] {
            assert!(Endpoint::of(text).is_anywhere(), "{text}");
        }
        assert!(!Endpoint::of("127.0.0.1:20180").is_anywhere());
    }

    #[test]
    fn a_name_is_short_and_an_ip_address_is_none() {
        assert_eq!(Endpoint::of("tikv-0.tikv-peer.prod.svc:20160").short_name(), Some("tikv-0"));
        assert_eq!(Endpoint::of("10.0.0.1:20160").short_name(), None);
    }
}
