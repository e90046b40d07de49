//! What things look like. Every difference is said by a glyph or a word first; colour only repeats it, and a screen
//! without colour (`NO_COLOR`) loses nothing.

use ratatui::style::{Color, Modifier, Style};

/// The colours, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Palette {
    colour: bool,
}

impl Palette {
    /// With colours of the terminal's own sixteen: they fit its background.
    pub const COLOUR: Self = Self { colour: true };
    /// With bold, reversed and underlined only.
    pub const PLAIN: Self = Self { colour: false };

    /// Colours unless the environment says not to (`NO_COLOR` set to anything but nothing, or a `dumb` terminal).
    pub fn from_environment() -> Self {
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        if set("NO_COLOR") || dumb { Self::PLAIN } else { Self::COLOUR }
    }

    fn coloured(self, colour: Color, otherwise: Modifier) -> Style {
        if self.colour { Style::new().fg(colour) } else { Style::new().add_modifier(otherwise) }
    }

    /// Ordinary text.
    pub fn plain(self) -> Style {
        Style::new()
    }

    /// What may be overlooked.
    pub fn dim(self) -> Style {
        if self.colour { Style::new().fg(Color::DarkGray) } else { Style::new() }
    }

    /// Well.
    pub fn good(self) -> Style {
        self.coloured(Color::Green, Modifier::empty())
    }

    /// Not well, or not known.
    pub fn warning(self) -> Style {
        self.coloured(Color::Yellow, Modifier::BOLD)
    }

    /// Broken.
    pub fn bad(self) -> Style {
        self.coloured(Color::Red, Modifier::BOLD).add_modifier(Modifier::BOLD)
    }

    /// What the operator does.
    pub fn act(self) -> Style {
        self.coloured(Color::Cyan, Modifier::BOLD)
    }

    /// A name, a heading.
    pub fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// What must be seen now: a detection, an engaged kill switch.
    pub fn alarm(self) -> Style {
        self.coloured(Color::Red, Modifier::BOLD).add_modifier(Modifier::BOLD | Modifier::REVERSED)
    }

    /// The bar that says where the story stands.
    pub fn bar(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }
}
