//! Which models are asked, and what they take: the one place that names any.

/// The default at Anthropic: the current mid-size model, released in September 2026, named by its page
/// platform.claude.com/docs/en/models/sonnet-5-5/overview (read in November 2026).
pub const DEFAULT_ANTHROPIC_MODEL: &str = "claude-sonnet-5-5";
/// Where Anthropic answers.
pub const ANTHROPIC_URL: &str = "https://api.anthropic.com";
/// The variable that holds Anthropic's key, as its own clients read it.
pub const ANTHROPIC_KEY_VARIABLE: &str = "ANTHROPIC_API_KEY";
/// The variable that holds the key of an OpenAI-compatible endpoint.
pub const OPENAI_KEY_VARIABLE: &str = "OPENAI_API_KEY";

/// What a model behind the Messages API takes. What is not known to be taken is not sent: the API refuses the whole request
/// for one setting too many, and every newer model took fewer of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Habits {
    /// A temperature.
    pub(crate) takes_temperature: bool,
    /// An order to call a certain tool.
    pub(crate) takes_forced_tool: bool,
    /// A schema for its answer (`output_config.format`).
    pub(crate) takes_schema: bool,
    /// How hard it should think (`output_config.effort`).
    pub(crate) takes_effort: bool,
}

impl Habits {
    /// What `model` takes. One that is not Anthropic's is another server's in their wire format, a local one mostly: those
    /// take the settings that the format began with, and know no schemas.
    pub(crate) fn of(model: &str) -> Self {
        let begins = |beginnings: &[&str]| beginnings.iter().any(|beginning| model.starts_with(beginning));
        if !model.starts_with("claude-") {
            return Self { takes_temperature: true, takes_forced_tool: true, takes_schema: false, takes_effort: false };
        }
        let first_generations = begins(&["claude-3", "claude-sonnet-4-2", "claude-opus-4-2", "claude-opus-4-1"]);
        let is_older = first_generations || begins(&["claude-sonnet-4", "claude-haiku-4"]);
        Self {
            takes_temperature: is_older,
            takes_forced_tool: is_older,
            takes_schema: !first_generations,
            takes_effort: !is_older || begins(&["claude-sonnet-4-6"]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_takes_neither_a_temperature_nor_a_forced_tool() {
        let habits = Habits::of(DEFAULT_ANTHROPIC_MODEL);
        assert!(!habits.takes_temperature && !habits.takes_forced_tool && habits.takes_schema && habits.takes_effort);
        assert_eq!(Habits::of("claude-tomorrow-9"), habits, "an unknown one is taken for a new one");
    }

    #[test]
    fn a_local_model_takes_what_the_format_began_with() {
        let habits = Habits::of("qwen2.5-coder");
        assert!(habits.takes_temperature && habits.takes_forced_tool && !habits.takes_schema && !habits.takes_effort);
    }

    #[test]
    fn the_default_has_a_price_of_its_own() {
        assert_ne!(crate::Price::of_model(DEFAULT_ANTHROPIC_MODEL), crate::Price::of_model("unknown"));
    }
}
