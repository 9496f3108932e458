//! A request that is ready to leave, with what it takes to explain it.

use ::http::header::AUTHORIZATION;

use crate::Explanation;
use crate::event::Operation;
use crate::http::masking::{Sent, mask_header, mask_iban, mask_secret};
use crate::http::{HttpRequest, TransportContext};

/// One request, complete and signed.
pub(super) struct Prepared<'a> {
    pub(super) request: HttpRequest,
    /// None when the bank wants none.
    pub(super) request_id: Option<String>,
    pub(super) explained: Explained<'a>,
}

/// What an explanation needs besides the request.
pub(super) struct Explained<'a> {
    pub(super) signing_string: Option<String>,
    pub(super) key_id: Option<(&'a str, &'static str)>,
    pub(super) private: Private<'a>,
}

/// What must not show in the body.
pub(super) enum Private<'a> {
    /// The account's IBAN.
    Iban(&'a str),
    /// Another identification of the account: it may be a card number or a token.
    Identification(&'a str),
    /// The values of a form other than those that are public.
    Form,
}

/// The attempts of one call.
pub(super) struct Attempts<'a> {
    pub(super) operation: Operation,
    pub(super) prepared: &'a Prepared<'a>,
    pub(super) context: &'a TransportContext,
}

impl Prepared<'_> {
    /// The request laid open, secrets masked.
    pub(super) fn explanation(&self) -> Explanation {
        let request = &self.request;
        let text = |value: &::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = request
            .headers
            .iter()
            .map(|(name, value)| (name.to_string(), mask_header(name.as_str(), &text(value))));
        let body = String::from_utf8_lossy(&request.body);
        let digest = request.headers.get("digest").map(|digest| {
            format!("the {} bytes of the body as sent, giving {}", request.body.len(), text(digest))
        });
        Explanation {
            method: request.method().to_owned(),
            url: request.uri.to_string(),
            headers: headers.collect(),
            body: self.explained.private.mask(&body),
            digest_input: digest,
            signing_string: self.explained.signing_string.as_deref().map(mask_lines),
            key_id: self.explained.key_id.map(|(key_id, _)| key_id.to_owned()),
            key_id_source: self.explained.key_id.map(|(_, source)| source.to_owned()),
        }
    }

    /// The secrets of the request, which a bank may repeat.
    pub(super) fn sent(&self) -> Vec<Sent> {
        let credentials = self.request.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let mut sent: Vec<Sent> =
            credentials.and_then(|value| Some(Sent::new(value.split_once(' ')?.1))).into_iter().collect();
        match self.explained.private {
            Private::Iban(iban) => sent.push(Sent { shown: mask_iban(iban), ..Sent::new(iban) }),
            Private::Identification(text) => sent.push(Sent::new(text)),
            Private::Form => {
                let parameters = form_urlencoded::parse(&self.request.body);
                sent.extend(
                    parameters.filter(|(name, _)| !is_public(name)).map(|(_, value)| Sent::new(&value)),
                );
            }
        }
        sent
    }
}

fn mask_lines(signing_string: &str) -> String {
    let masked = signing_string.lines().map(|line| match line.split_once(": ") {
        Some((name, value)) => format!("{name}: {}", mask_header(name, value)),
        None => line.to_owned(),
    });
    masked.collect::<Vec<_>>().join("\n")
}

impl Private<'_> {
    fn mask(&self, body: &str) -> String {
        match self {
            Self::Iban(iban) => mask_account(body, iban, &mask_iban(iban)),
            Self::Identification(text) => mask_account(body, text, &mask_secret(text)),
            Self::Form => {
                let shown = form_urlencoded::parse(body.as_bytes()).map(|(name, value)| {
                    if is_public(&name) {
                        format!("{name}={value}")
                    } else {
                        format!("{name}={}", mask_secret(&value))
                    }
                });
                shown.collect::<Vec<_>>().join("&")
            }
        }
    }
}

/// Whether a parameter of a token request may be shown.
fn is_public(name: &str) -> bool {
    matches!(name, "grant_type" | "client_id" | "redirect_uri" | "scope")
}

/// Masks the account's member; a number long enough not to be anything else is masked wherever it stands.
fn mask_account(body: &str, account: &str, shown: &str) -> String {
    const UNMISTAKABLE: usize = 12;
    let written = serde_json::Value::from(account).to_string();
    let body = body.replace(&written, &serde_json::Value::from(shown).to_string());
    if account.len() < UNMISTAKABLE { body } else { body.replace(account, shown) }
}
