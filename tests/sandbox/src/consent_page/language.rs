//! The language a page is written in.

/// A language the bank speaks; French unless the cardholder prefers English.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    /// The bank's own.
    French,
    /// For visitors.
    English,
}

impl Language {
    /// The language of a request: the one its `lang` parameter names, else the one `Accept-Language` prefers.
    pub(crate) fn negotiate(query_lang: Option<&str>, accept_language: Option<&str>) -> Self {
        query_lang
            .and_then(Self::from_tag)
            .unwrap_or_else(|| accept_language.map_or(Self::French, Self::preferred))
    }

    /// The language subtag, for `lang` attributes and parameters.
    pub(crate) fn tag(self) -> &'static str {
        self.pick("fr", "en")
    }

    /// The one of two texts that is in this language.
    pub(super) fn pick<'a>(self, french: &'a str, english: &'a str) -> &'a str {
        match self {
            Self::French => french,
            Self::English => english,
        }
    }

    /// The language a visitor can switch to.
    pub(super) fn other(self) -> Self {
        match self {
            Self::French => Self::English,
            Self::English => Self::French,
        }
    }

    /// The language's name in itself.
    pub(super) fn name(self) -> &'static str {
        self.pick("Français", "English")
    }

    fn from_tag(tag: &str) -> Option<Self> {
        [Self::French, Self::English].into_iter().find(|language| language.matches(tag))
    }

    /// Whether `range` is this language, in whatever region.
    fn matches(self, range: &str) -> bool {
        let primary = range.split('-').next().unwrap_or(range);
        primary.eq_ignore_ascii_case(self.tag())
    }

    fn preferred(accept_language: &str) -> Self {
        let wishes: Vec<(&str, f32)> = accept_language.split(',').filter_map(weighted_range).collect();
        if Self::English.quality(&wishes) > Self::French.quality(&wishes) {
            Self::English
        } else {
            Self::French
        }
    }

    /// The best weight given to this language, or to `*` when it is not named (RFC 9110 §12.5.4).
    fn quality(self, wishes: &[(&str, f32)]) -> f32 {
        let best = |wanted: &dyn Fn(&str) -> bool| {
            wishes.iter().filter(|(range, _)| wanted(range)).map(|(_, weight)| *weight).reduce(f32::max)
        };
        best(&|range| self.matches(range)).or_else(|| best(&|range| range == "*")).unwrap_or(0.0)
    }
}

/// `en-GB;q=0.8` as the range and its weight; nothing when the weight is not one.
fn weighted_range(element: &str) -> Option<(&str, f32)> {
    let (range, parameter) = element.split_once(';').unwrap_or((element, "q=1"));
    let (name, value) = parameter.split_once('=')?;
    let weight = value.trim().parse().ok().filter(|weight| (0.0..=1.0).contains(weight))?;
    name.trim().eq_ignore_ascii_case("q").then_some((range.trim(), weight))
}
