//! What Redis says of itself in `INFO`.

use std::collections::BTreeMap;

use super::{Inspection, InspectorError, command, not_understood};

/// What Redis says of itself.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Info {
    fields: BTreeMap<String, String>,
    /// Which start of it.
    pub(crate) run_id: String,
    /// Its version.
    pub(crate) version: String,
    /// Since how many seconds it runs.
    pub(crate) uptime_s: f64,
}

impl Inspection {
    /// What it says of itself.
    pub(crate) async fn info(&self) -> Result<Info, InspectorError> {
        let text: String = self.ask("INFO", &command("INFO")).await?;
        Info::read(&text)
    }
}

impl Info {
    fn read(text: &str) -> Result<Self, InspectorError> {
        let fields: BTreeMap<_, _> = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
            .collect();
        let field =
            |name: &str| fields.get(name).cloned().ok_or_else(|| not_understood("INFO", format!("{name} is missing")));
        let run_id = field("run_id")?;
        if run_id.is_empty() || run_id.len() > 64 || !run_id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(not_understood("INFO", "run_id is not hexadecimal"));
        }
        let version = field("redis_version")?.chars().filter(|c| !c.is_control()).take(40).collect();
        let uptime_s = field("uptime_in_seconds")?.parse().ok().filter(|uptime: &f64| uptime.is_finite());
        let uptime_s = uptime_s.ok_or_else(|| not_understood("INFO", "uptime_in_seconds is not a number"))?;
        Ok(Self { run_id, version, uptime_s, fields })
    }

    /// A number of it; none if it is not there or none.
    pub(crate) fn number(&self, name: &str) -> Option<f64> {
        self.fields.get(name)?.parse().ok().filter(|number: &f64| number.is_finite())
    }

    /// A text of it.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }

    /// All of it, by name.
    pub(crate) fn fields(&self) -> &BTreeMap<String, String> {
        &self.fields
    }

    /// Why it does not do its work fully, if it says so.
    pub(crate) fn trouble(&self) -> Option<String> {
        if self.text("loading") == Some("1") {
            Some("it is loading its data".to_owned())
        } else if self.text("aof_last_write_status").is_some_and(|status| status != "ok") {
            Some("it cannot write its append-only file".to_owned())
        } else if self.text("role").is_some_and(|role| role != "master") {
            Some("it is a replica".to_owned())
        } else if self.number("maxmemory").is_some_and(|most| most > 0.0 && self.number("used_memory") >= Some(most)) {
            Some("its memory is full".to_owned())
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_or_no_number_is_said() {
        let text = "# Server\r\nredis_version:7.0.15\r\nrun_id:ab12\r\nuptime_in_seconds:5\r\nloading:1\r\nx:nan\r\n";
        let info = Info::read(text).expect("enough");
        assert_eq!((info.run_id.as_str(), info.uptime_s, info.number("x")), ("ab12", 5.0, None));
        assert_eq!(info.trouble().as_deref(), Some("it is loading its data"));
        for (text, why) in [
            ("", "run_id is missing"),
            ("run_id:../x\r\n", "run_id is not hexadecimal"),
            ("run_id:ab\r\nredis_version:1\r\nuptime_in_seconds:long\r\n", "uptime_in_seconds is not a number"),
        ] {
            let error = Info::read(text).expect_err(why).to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
