//! Parameters of actions and probes as they are written on the command line.

use std::collections::BTreeMap;

use operator_protocols::Value;

use crate::exit::Failure;

/// The parameters that `NAME=VALUE` texts give.
///
/// # Errors
/// When a text has another form, or a name is given twice.
pub fn parse_params(params: &[String]) -> Result<BTreeMap<String, Value>, Failure> {
    let mut parsed = BTreeMap::new();
    for param in params {
        let (name, text) = param
            .split_once('=')
            .ok_or_else(|| Failure::usage(format!("--param {param}: expected NAME=VALUE, like ttl_s=600")))?;
        // A value that is JSON is what it says; everything else is text.
        let value = serde_json::from_str(text).unwrap_or_else(|_| Value::Text(text.to_owned()));
        if parsed.insert(name.to_owned(), value).is_some() {
            return Err(Failure::usage(format!("--param {name} is given twice")));
        }
    }
    Ok(parsed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_what_its_json_says_or_text() {
        let given = ["n=3", "f=1.5", "b=true", "t=node-1", "q=\"3\""].map(str::to_owned);
        let params = parse_params(&given).expect("right");
        assert_eq!(params["n"], Value::Int(3));
        assert_eq!(params["f"], Value::Float(1.5));
        assert_eq!(params["b"], Value::Bool(true));
        assert_eq!(params["t"], "node-1".into());
        assert_eq!(params["q"], "3".into());
        for wrong in [&["n"][..], &["n=1", "n=2"]] {
            let wrong: Vec<_> = wrong.iter().map(|&text| text.to_owned()).collect();
            assert_eq!(parse_params(&wrong).expect_err("wrong").code(), 2);
        }
    }
}
