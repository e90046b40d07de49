//! `[[component.check]]`: how it is found out whether a component answers.

use std::time::Duration;

use reqwest::Url;

use super::FileError;
use super::address::{ADDRESS, http_url, is_address};
use super::keys::Keys;
use crate::limits;

/// A health check.
#[derive(Debug, Clone)]
pub(crate) struct Check {
    pub(crate) means: Means,
    /// What it says of the component when it fails.
    pub(crate) failing: Failing,
    pub(crate) timeout: Duration,
}

/// How it is asked.
#[derive(Debug, Clone)]
pub(crate) enum Means {
    /// A `GET` that must be answered with this status, and with this text somewhere in its body.
    Http { url: Url, status: u16, body: Option<String> },
    /// A connection, over which this may be sent and that must be answered.
    Tcp { address: String, send: Option<String>, expect: Option<String> },
    /// An expression that must not be 0.
    PromQl(String),
}

/// What a failing check says of its component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failing {
    /// It is down.
    Down,
    /// It does not do its work fully.
    Degraded,
}

pub(super) const KEYS: [&str; 9] = ["http", "status", "body", "tcp", "send", "expect", "promql", "failing", "timeout"];

pub(super) fn read(component: &Keys<'_>, address: Option<&str>) -> Result<Vec<Check>, FileError> {
    let tables = component.tables("check", limits::CHECKS, &KEYS)?;
    if tables.is_empty() {
        return Err(component.missing("check", "at least one [[component.check]] with http, tcp or promql"));
    }
    tables.iter().map(|keys| one(keys, address)).collect()
}

fn one(keys: &Keys<'_>, address: Option<&str>) -> Result<Check, FileError> {
    let what = keys.one_of(&["http", "tcp", "promql"])?;
    for (key, to) in [("status", "http"), ("body", "http"), ("send", "tcp"), ("expect", "tcp")] {
        if keys.has(key) && what != to {
            return Err(keys.error(key, format!("belongs to a check by {to}")));
        }
    }
    if what == "promql" && keys.has("timeout") {
        return Err(keys.error("timeout", format!("a query has {:?}", limits::QUERY_TIMEOUT)));
    }
    let text = keys.text(what);
    let means = match what {
        "http" => {
            let url = http_url(text?.unwrap_or_default(), address).map_err(|why| keys.error("http", why))?;
            let status = keys.whole("status", 100, 599)?.and_then(|status| u16::try_from(status).ok()).unwrap_or(200);
            Means::Http { url, status, body: keys.text("body")?.map(str::to_owned) }
        }
        "tcp" => {
            let address = match (text, address) {
                (Ok(Some(text)), _) if is_address(text) => text.to_owned(),
                (Err(_), Some(address)) if keys.flag("tcp") == Ok(Some(true)) => address.to_owned(),
                (Err(_), None) if keys.flag("tcp") == Ok(Some(true)) => {
                    return Err(keys.error("tcp", format!("the component has no address; give {ADDRESS}")));
                }
                _ => return Err(keys.error("tcp", format!("expected true, or {ADDRESS}"))),
            };
            let expect = keys.text("expect")?.map(str::to_owned);
            Means::Tcp { address, send: keys.text("send")?.map(str::to_owned), expect }
        }
        _ => Means::PromQl(text?.unwrap_or_default().to_owned()),
    };
    let (min, max) = limits::TIMEOUT;
    Ok(Check {
        means,
        failing: keys
            .word("failing", &[("down", Failing::Down), ("degraded", Failing::Degraded)])?
            .unwrap_or(Failing::Down),
        timeout: keys.duration("timeout", min, max)?.unwrap_or(limits::DEFAULT_TIMEOUT),
    })
}
