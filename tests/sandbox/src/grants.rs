//! Codes, consents and tokens: who allowed what until when.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::settings::{RefreshTokenRotation, Settings};

/// A code that has been given out.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    pub(crate) persona: String,
    pub(crate) redirect_uri: String,
    pub(crate) challenge: Option<String>,
    pub(crate) given_at: SystemTime,
    /// The consent its tokens belong to, once it has been used.
    used_for: Option<u64>,
}

/// What a cardholder allowed, from the SCA on.
#[derive(Clone, Debug)]
struct Consent {
    persona: String,
    scope: String,
    ends_at: SystemTime,
    revoked: bool,
    access: Option<(String, SystemTime)>,
    refresh: String,
    /// How often its tokens were refreshed.
    refreshes: u64,
}

/// A pair of tokens as it is issued.
#[derive(Clone, Debug)]
pub(crate) struct Issued {
    pub(crate) access: String,
    /// None when the bank does not repeat it.
    pub(crate) refresh: Option<String>,
    pub(crate) scope: String,
}

/// What an access token allows.
#[derive(Clone, Debug)]
pub(crate) struct Bearer {
    pub(crate) persona: String,
    pub(crate) scope: String,
}

/// Everything the bank gave out.
#[derive(Default)]
pub(crate) struct Grants {
    codes: HashMap<String, Code>,
    consents: HashMap<u64, Consent>,
    by_access: HashMap<String, u64>,
    by_refresh: HashMap<String, u64>,
    last: u64,
}

/// Text nobody guesses: 244 random bits.
pub(crate) fn unguessable() -> String {
    let halves = [uuid::Uuid::new_v4().into_bytes(), uuid::Uuid::new_v4().into_bytes()];
    URL_SAFE_NO_PAD.encode(halves.concat())
}

impl Grants {
    pub(crate) fn give_code(
        &mut self,
        persona: &str,
        redirect_uri: &str,
        challenge: Option<String>,
        now: SystemTime,
    ) -> String {
        let code = unguessable();
        self.codes.insert(
            code.clone(),
            Code {
                persona: persona.to_owned(),
                redirect_uri: redirect_uri.to_owned(),
                challenge,
                given_at: now,
                used_for: None,
            },
        );
        code
    }

    pub(crate) fn code(&self, code: &str) -> Option<&Code> {
        self.codes.get(code)
    }

    /// Spends a code. A code spent before takes its tokens with it.
    pub(crate) fn spend(
        &mut self,
        code: &str,
        settings: &Settings,
        now: SystemTime,
    ) -> Result<Issued, String> {
        let Some(found) = self.codes.get(code) else { return Err("the code is not one of ours".to_owned()) };
        if let Some(consent) = found.used_for {
            self.end(consent);
            return Err("the code was used before; its tokens are revoked".to_owned());
        }
        if now > found.given_at + Duration::from_secs(settings.code_lifetime_seconds) {
            return Err("the code has expired".to_owned());
        }
        let (persona, given_at) = (found.persona.clone(), found.given_at);
        let issued = self.issue(&persona, &settings.scope.clone(), given_at, settings, now);
        let consent = self.by_access.get(&issued.access).copied();
        if let Some(found) = self.codes.get_mut(code) {
            found.used_for = consent;
        }
        Ok(issued)
    }

    /// A new consent and its tokens; the persona's earlier consent for the same scope ends.
    pub(crate) fn issue(
        &mut self,
        persona: &str,
        scope: &str,
        consented_at: SystemTime,
        settings: &Settings,
        now: SystemTime,
    ) -> Issued {
        let earlier: Vec<u64> = self
            .consents
            .iter()
            .filter(|(_, consent)| consent.persona == persona && consent.scope == scope)
            .map(|(number, _)| *number)
            .collect();
        earlier.into_iter().for_each(|number| self.end(number));
        self.last += 1;
        let number = self.last;
        let lifetime = Duration::from_secs(u64::from(settings.consent_lifetime_days) * 86_400);
        let refresh = unguessable();
        self.by_refresh.insert(refresh.clone(), number);
        self.consents.insert(
            number,
            Consent {
                persona: persona.to_owned(),
                scope: scope.to_owned(),
                ends_at: consented_at + lifetime,
                revoked: false,
                access: None,
                refresh: refresh.clone(),
                refreshes: 0,
            },
        );
        let access = self.renew_access(number, settings, now);
        Issued { access, refresh: Some(refresh), scope: scope.to_owned() }
    }

    /// New tokens for a refresh token.
    pub(crate) fn refresh(
        &mut self,
        token: &str,
        settings: &Settings,
        now: SystemTime,
    ) -> Result<Issued, String> {
        let number = *self.by_refresh.get(token).ok_or("the refresh token is not valid")?;
        let Some(consent) = self.consents.get_mut(&number) else {
            return Err("the consent is gone".to_owned());
        };
        if consent.revoked {
            return Err("the consent was revoked".to_owned());
        }
        if now >= consent.ends_at {
            return Err("the consent has ended: the cardholder must consent again".to_owned());
        }
        consent.refreshes += 1;
        let scope = consent.scope.clone();
        let refresh = match settings.refresh_token_rotation {
            RefreshTokenRotation::Same => Some(token.to_owned()),
            RefreshTokenRotation::Absent => None,
            RefreshTokenRotation::Rotated => {
                let fresh = unguessable();
                consent.refresh.clone_from(&fresh);
                self.by_refresh.remove(token);
                self.by_refresh.insert(fresh.clone(), number);
                Some(fresh)
            }
        };
        let access = self.renew_access(number, settings, now);
        Ok(Issued { access, refresh, scope })
    }

    /// What an access token allows now.
    pub(crate) fn bearer(&self, token: &str, now: SystemTime) -> Result<Bearer, &'static str> {
        let consent = self
            .by_access
            .get(token)
            .and_then(|number| self.consents.get(number))
            .ok_or("the access token is not valid")?;
        let until = match &consent.access {
            Some((current, until)) if current == token => *until,
            _ => return Err("the access token was replaced"),
        };
        if consent.revoked || now >= consent.ends_at {
            return Err("the consent is no longer valid");
        }
        if now >= until {
            return Err("the access token has expired");
        }
        Ok(Bearer { persona: consent.persona.clone(), scope: consent.scope.clone() })
    }

    /// How often the tokens of a persona's consent in force were refreshed.
    pub(crate) fn refreshes(&self, persona: &str, scope: &str) -> Option<u64> {
        let found = self.consents.values().find(|one| one.persona == persona && one.scope == scope);
        found.map(|consent| consent.refreshes)
    }

    /// Revokes the consents of a persona, or all.
    pub(crate) fn revoke(&mut self, persona: Option<&str>) {
        for consent in self.consents.values_mut() {
            if persona.is_none_or(|id| id == consent.persona) {
                consent.revoked = true;
            }
        }
    }

    /// Makes every access token expire now; refresh tokens stay.
    pub(crate) fn expire_access(&mut self, now: SystemTime) {
        for consent in self.consents.values_mut() {
            if let Some((_, until)) = &mut consent.access {
                *until = now;
            }
        }
    }

    fn renew_access(&mut self, number: u64, settings: &Settings, now: SystemTime) -> String {
        let access = unguessable();
        if let Some(consent) = self.consents.get_mut(&number) {
            if let Some((old, _)) = consent.access.take() {
                self.by_access.remove(&old);
            }
            let until = now + Duration::from_secs(settings.access_token_seconds);
            consent.access = Some((access.clone(), until));
            self.by_access.insert(access.clone(), number);
        }
        access
    }

    fn end(&mut self, number: u64) {
        if let Some(consent) = self.consents.remove(&number) {
            self.by_refresh.remove(&consent.refresh);
            if let Some((access, _)) = consent.access {
                self.by_access.remove(&access);
            }
        }
    }
}
