//! What holds for every page, in both languages.

use super::*;

const BANK: BankView<'_> = BankView { name: "Banque du Port", brand: "banque-du-port.example" };
const HOSTILE: &str = r#""><script>alert('x')</script>&amp;"#;
const LANGUAGES: [Language; 2] = [Language::French, Language::English];

fn persona(text: &str) -> PersonaChoice<'_> {
    PersonaChoice { id: text, display_name: text, hint: text }
}

/// Every page there is, with `text` wherever a page shows what it was given.
fn every_page<'a>(text: &'a str, personas: &'a [PersonaChoice<'a>]) -> Vec<Page<'a>> {
    let login = |error| Page::Login { flow: text, issuer_name: text, personas, error };
    let sca = |error| Page::Sca { flow: text, persona_name: text, code_hint: text, error };
    let error = |title_key| Page::Error { title_key, detail: text };
    vec![
        login(None),
        login(Some(LoginError::UnknownPersona)),
        login(Some(LoginError::NoOnlineAccess)),
        sca(None),
        sca(Some(ScaError::WrongCode)),
        consent(text, 90),
        Page::TimedOut { issuer_name: text },
        error(ErrorTitle::UnknownIssuer),
        error(ErrorTitle::BadRedirect),
        error(ErrorTitle::BadRequest),
        error(ErrorTitle::NotFound),
        Page::Leaving { target: text },
        Page::Leaving { target: "" },
    ]
}

fn consent(text: &str, valid_days: u32) -> Page<'_> {
    Page::Consent { flow: text, issuer_name: text, organisation_id: text, account_masked: text, valid_days }
}

/// Runs `check` on every page in every language, with an ordinary text in it.
fn on_every_page(check: impl Fn(&Page<'_>, Language, &str)) {
    let personas = [persona("claire"), persona("lea")];
    for page in every_page("flow-1", &personas) {
        for language in LANGUAGES {
            check(&page, language, &render(&page, &BANK, language, "/bank"));
        }
    }
}

fn french(page: &Page<'_>) -> String {
    render(page, &BANK, Language::French, "/bank")
}

fn english(page: &Page<'_>) -> String {
    render(page, &BANK, Language::English, "/bank")
}

/// The start tags called `name`.
fn tags<'a>(html: &'a str, name: &str) -> Vec<&'a str> {
    html.split('<')
        .filter_map(|piece| piece.split_once('>').map(|(tag, _)| tag))
        .filter(|tag| tag.split_whitespace().next() == Some(name))
        .collect()
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    rest.split_once('"').map(|(value, _)| value)
}

#[test]
fn every_page_is_one_document_in_its_language() {
    on_every_page(|page, language, html| {
        assert!(html.starts_with("<!DOCTYPE html>") && html.trim_end().ends_with("</html>"), "{page:?}");
        assert_eq!(tags(html, "html"), [format!("html lang=\"{}\"", language.tag())], "{page:?}");
        for once in ["h1", "main", "header", "footer", "title"] {
            assert_eq!(tags(html, once).len(), 1, "{once} of {page:?}");
        }
    });
}

#[test]
fn the_languages_differ_on_every_page() {
    let personas = [persona("claire")];
    for page in every_page("flow-1", &personas) {
        let heading =
            |html: &str| html.split_once("<h1>").map(|(_, rest)| rest.split('<').next().map(str::to_owned));
        assert_ne!(heading(&french(&page)), heading(&english(&page)), "{page:?}");
    }
}

#[test]
fn every_page_says_it_is_a_sandbox() {
    on_every_page(|page, language, html| {
        assert!(html.contains(language.pick("rien ici n’est réel", "nothing here is real")), "{page:?}");
    });
}

#[test]
fn every_element_is_closed() {
    const VOID: [&str; 4] = ["!DOCTYPE", "meta", "input", "path"];
    on_every_page(|page, _, html| {
        let mut open = Vec::new();
        for tag in html.split('<').skip(1).filter_map(|piece| piece.split_once('>')).map(|(tag, _)| tag) {
            let name = tag.split_whitespace().next().unwrap_or_default();
            match name.strip_prefix('/') {
                Some(closed) => assert_eq!(open.pop(), Some(closed), "{page:?}"),
                None if VOID.contains(&name) => {}
                None => open.push(name),
            }
        }
        assert!(open.is_empty(), "{open:?} of {page:?}");
    });
}

#[test]
fn hostile_text_stays_text() {
    let personas = [persona(HOSTILE)];
    let bank = BankView { name: HOSTILE, brand: HOSTILE };
    for page in every_page(HOSTILE, &personas) {
        for language in LANGUAGES {
            let html = render(&page, &bank, language, "/bank");
            for raw in ["<script", "\"&#62;", "'x'"] {
                assert!(!html.contains(raw), "{raw} in {page:?}");
            }
            assert!(html.contains("&#34;&#62;&#60;script&#62;"), "{page:?}");
        }
    }
}

#[test]
fn nothing_is_needed_that_the_policy_forbids() {
    on_every_page(|page, _, html| {
        for forbidden in ["script", "link", "img", "iframe"] {
            assert_eq!(tags(html, forbidden), [""; 0], "{page:?}");
        }
        for loading in ["url(", "@import", " src=", " onclick="] {
            assert!(!html.contains(loading), "{loading} in {page:?}");
        }
    });
}

#[test]
fn forms_carry_the_flow_and_post_under_the_base() {
    on_every_page(|page, language, html| {
        let forms = tags(html, "form");
        let Some(step) = page.step() else { return assert_eq!(forms, [""; 0]) };
        let action = format!("/bank/{}?lang={}", step.path, language.tag());
        assert_eq!(forms.len(), 1);
        assert_eq!(attribute(forms[0], "method"), Some("post"));
        assert_eq!(attribute(forms[0], "action"), Some(action.as_str()));
        let flow = tags(html, "input").into_iter().find(|input| attribute(input, "name") == Some("flow"));
        assert_eq!(flow.and_then(|input| attribute(input, "value")), Some("flow-1"));
    });
}

#[test]
fn every_visible_input_has_a_label() {
    on_every_page(|page, _, html| {
        let labelled: Vec<_> = tags(html, "label").into_iter().map(|label| attribute(label, "for")).collect();
        for input in
            tags(html, "input").into_iter().filter(|input| attribute(input, "type") != Some("hidden"))
        {
            let id = attribute(input, "id");
            assert!(id.is_some() && labelled.contains(&id), "{input} of {page:?}");
        }
    });
}

#[test]
fn every_reference_inside_a_page_leads_somewhere() {
    on_every_page(|page, _, html| {
        let described = html.split(" aria-describedby=\"").skip(1).filter_map(|rest| rest.split('"').next());
        let linked = html.split(" href=\"#").skip(1).filter_map(|rest| rest.split('"').next());
        for id in described.flat_map(str::split_whitespace).chain(linked) {
            assert_eq!(html.matches(&format!(" id=\"{id}\"")).count(), 1, "{id} of {page:?}");
        }
    });
}

#[test]
fn a_retry_announces_its_error_and_describes_the_input_by_it() {
    on_every_page(|page, language, html| {
        let described = tags(html, "input")
            .into_iter()
            .filter_map(|input| attribute(input, "aria-describedby"))
            .any(|ids| ids.split_whitespace().any(|id| id == "problem"));
        let titled = html.contains(language.pick("<title>Erreur", "<title>Error"));
        let retry = matches!(page, Page::Login { error: Some(_), .. } | Page::Sca { error: Some(_), .. });
        assert_eq!((described, titled, html.contains("role=\"alert\"")), (retry, retry, retry), "{page:?}");
    });
}

#[test]
fn the_current_step_is_marked() {
    on_every_page(|page, _, html| {
        let steps: Vec<_> =
            tags(html, "li").into_iter().filter(|li| li.contains("aria-current=\"step\"")).collect();
        assert_eq!(steps.len(), usize::from(page.step().is_some()), "{page:?}");
    });
    let personas = [persona("claire")];
    let done = |page: &Page<'_>| english(page).matches("(done)").count();
    let counts: Vec<_> = every_page("flow-1", &personas).iter().map(done).collect();
    assert_eq!(counts, [0, 0, 0, 1, 1, 2, 0, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn a_question_links_to_itself_in_the_other_language() {
    let html = french(&consent("a&b=c", 90));
    assert!(
        html.contains(
            r#"href="/bank/decision?flow=a%26b%3Dc&amp;lang=en" lang="en" hreflang="en">English</a>"#
        )
    );
    let html = english(&consent("a&b=c", 90));
    assert!(html.contains(
        r#"href="/bank/decision?flow=a%26b%3Dc&amp;lang=fr" lang="fr" hreflang="fr">Français</a>"#
    ));
}

#[test]
fn login_offers_each_persona_by_its_id() {
    let personas = [persona("claire"), persona("lea")];
    let html =
        french(&Page::Login { flow: "f", issuer_name: "Carte & Cie", personas: &personas, error: None });
    let offered: Vec<_> = tags(&html, "input")
        .into_iter()
        .filter(|input| attribute(input, "name") == Some("persona"))
        .filter_map(|input| attribute(input, "value"))
        .collect();
    assert_eq!(offered, ["claire", "lea"]);
    assert!(html.contains("Carte &#38; Cie"));
}

#[test]
fn sca_shows_the_code_as_help_of_the_sandbox() {
    let html = english(&Page::Sca { flow: "f", persona_name: "Claire", code_hint: "246810", error: None });
    assert!(html.contains("<code>246810</code>"));
    assert!(tags(&html, "input").iter().any(|input| attribute(input, "name") == Some("otp")));
}

#[test]
fn consent_says_what_is_asked_and_offers_both_decisions() {
    let page = Page::Consent {
        flow: "f",
        issuer_name: "Carte et Cie",
        organisation_id: "PSDFR-ACPR-12345",
        account_masked: "FR76 •••• 4006",
        valid_days: 90,
    };
    let shared = ["Carte et Cie", "PSDFR-ACPR-12345", "FR76 •••• 4006"];
    let in_french = ["90 jours", "oui ou non", "solde", "rien n’est réservé", "retirer à tout moment"];
    let in_english = ["90 days", "yes or no", "balance", "nothing is reserved", "withdraw it at any time"];
    for (html, said) in [(french(&page), in_french), (english(&page), in_english)] {
        for text in shared.into_iter().chain(said) {
            assert!(html.contains(text), "{text}");
        }
        let decisions: Vec<_> =
            tags(&html, "button").into_iter().map(|button| attribute(button, "value")).collect();
        assert_eq!(decisions, [Some("approve"), Some("refuse")]);
    }
}

#[test]
fn one_day_is_singular() {
    assert!(french(&consent("x", 1)).contains("1 jour."));
    assert!(english(&consent("x", 1)).contains("1 day."));
    assert!(english(&consent("x", 0)).contains("0 days."));
}

#[test]
fn leaving_links_back_only_when_there_is_somewhere_to_go() {
    let target = "https://issuer.example/cb?error=access_denied&state=s";
    let back = "href=\"https://issuer.example/cb?error=access_denied&#38;state=s\"";
    assert!(french(&Page::Leaving { target }).contains(back));
    assert_eq!(tags(&french(&Page::Leaving { target: "" }), "a"), [""; 0]);
}

#[test]
fn an_error_without_detail_shows_none() {
    let error = |detail| english(&Page::Error { title_key: ErrorTitle::NotFound, detail });
    assert!(error("no such flow").contains("<code>no such flow</code>"));
    assert!(!error("").contains("Technical detail"));
}

#[test]
fn the_language_parameter_decides() {
    assert_eq!(Language::negotiate(Some("en"), Some("fr")), Language::English);
    assert_eq!(Language::negotiate(Some("FR"), Some("en")), Language::French);
    assert_eq!(Language::negotiate(Some("en-GB"), None), Language::English);
    assert_eq!(Language::negotiate(Some("de"), Some("en")), Language::English);
    assert_eq!(Language::negotiate(Some(""), None), Language::French);
}

#[test]
fn the_browser_decides_by_weight() {
    let english = [
        "en",
        "EN-us",
        "de, en;q=0.5",
        "fr;q=0.4, en;q=0.6",
        "en;q=1.0,fr;q=0.9",
        "fr;q=0, *",
        "fr; q=0.2 , en ; Q=0.3",
    ];
    let french = [
        "",
        "de",
        "*",
        "fr",
        "fr-CA,en;q=0.9",
        "en;q=0.4, fr;q=0.6",
        "en;q=0.5, *",
        "en, fr",
        "en;q=0",
        "en;q=2",
        "en;q=nan",
        "en;q",
        "english",
    ];
    for header in english {
        assert_eq!(Language::negotiate(None, Some(header)), Language::English, "{header}");
    }
    for header in french {
        assert_eq!(Language::negotiate(None, Some(header)), Language::French, "{header}");
    }
    assert_eq!(Language::negotiate(None, None), Language::French);
}
