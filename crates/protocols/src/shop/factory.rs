//! How a shop's subject is made: from a shop at hand, or from configuration.

use super::checker::ShopChecker;
use super::handle::Shop;
use super::subject::ShopSubject;
use crate::{InvariantChecker, Subject, SubjectError, SubjectFactory, Value};

/// The kind of system, as a configuration names it.
pub const KIND: &str = "shop";

/// Makes the subject of the shop that was [published](Shop::publish) in this process under the setting `shop`, of one
/// that does not answer if there is none; without the setting, of a calm shop of its own. `time_scale`, from 0.001 to 10, is what graces are multiplied by; 1 by default.
pub const SHOP_FACTORY: SubjectFactory = |config, _driver| {
    if let Some(unknown) = config.settings.keys().find(|name| !["shop", "time_scale"].contains(&name.as_str())) {
        return Err(SubjectError::new(unknown, "no such setting; a shop has `shop` and `time_scale`"));
    }
    let scale = config.settings.get("time_scale").map_or(Some(1.0), Value::as_f64);
    let scale = scale.filter(|scale| (0.001..=10.0).contains(scale));
    let scale = scale.ok_or_else(|| SubjectError::new("time_scale", "expected a number from 0.001 to 10"))?;
    let shop = match config.settings.get("shop") {
        None => Some(Shop::new(0)),
        Some(name) => name.as_str().map(|name| Shop::published(name).unwrap_or_else(Shop::closed)),
    };
    let expected = || SubjectError::new("shop", "expected the name of a shop");
    Ok(shop.ok_or_else(expected)?.subject(&config.name, scale))
};

impl Shop {
    /// The subject called `name` that watches this shop, and its checker, whose graces are multiplied by `time_scale`.
    pub fn subject(&self, name: &str, time_scale: f64) -> (Box<dyn Subject>, Box<dyn InvariantChecker>) {
        let subject = ShopSubject::new(name.to_owned(), self.clone());
        (Box::new(subject), Box::new(ShopChecker::new(name.to_owned(), time_scale)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SubjectConfig;

    fn made(settings: &[(&str, Value)]) -> Result<(), String> {
        let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let config = SubjectConfig { name: "corner".into(), kind: KIND.into(), settings };
        SHOP_FACTORY(&config, None).map(|_| ()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_setting_that_is_wrong_is_named_with_what_would_be_right() {
        let open = Shop::new(1);
        assert_eq!(made(&[]), Ok(()));
        assert_eq!(made(&[("shop", open.publish().into()), ("time_scale", 0.5.into())]), Ok(()));
        assert_eq!(made(&[("shop", Shop::new(1).publish().into())]), Ok(()), "a shop that is gone can be watched");
        assert_eq!(made(&[("shop", 3_i64.into())]), Err("shop: expected the name of a shop".into()));
        assert_eq!(made(&[("time_scale", 11.0.into())]), Err("time_scale: expected a number from 0.001 to 10".into()));
        assert_eq!(made(&[("till", 1_i64.into())]).map_err(|why| why[..5].to_owned()), Err("till:".into()));
    }
}
