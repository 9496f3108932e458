//! Where a bank is reached, and how a caller moves it.

use super::{Bank, TrustMode, validation};
use crate::address::Address;
use crate::{Error, ErrorCode, Result};

/// The three addresses of a bank, checked: absolute https URLs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// Where the cardholder's browser is sent for consent.
    pub authorize: String,
    /// Where codes and refresh tokens are changed for tokens.
    pub token: String,
    /// Where funds are asked for.
    pub funds: String,
}

impl Bank {
    /// The three addresses, checked; scheme and host in lower case, without a default port.
    ///
    /// # Errors
    /// `configuration.endpoint_missing` for an address the record leaves to the caller,
    /// `configuration.endpoint_invalid` for one that is not an absolute https URL.
    pub fn endpoints(&self) -> Result<Endpoints> {
        Ok(Endpoints {
            authorize: self.endpoint("authorize_url", self.authorize_url.as_deref())?,
            token: self.endpoint("token_url", self.token_url.as_deref())?,
            funds: self.endpoint("funds_url", self.funds_url.as_deref())?,
        })
    }

    fn endpoint(&self, field: &str, url: Option<&str>) -> Result<String> {
        let url = url.ok_or_else(|| {
            Error::new(
                ErrorCode::EndpointMissing,
                format!(
                    "The record of bank {} has no {field}; set it to the address the bank gave you.",
                    self.id
                ),
            )
        })?;
        https_address(field, url)
    }

    /// Moves all three addresses to another origin (scheme, host and port), e.g. `https://localhost:8443`;
    /// paths and queries stay.
    ///
    /// # Errors
    /// `configuration.endpoint_invalid` when `origin` is not `https://host` or `https://host:port`;
    /// otherwise as [`endpoints`](Self::endpoints).
    pub fn with_origin(self, origin: &str) -> Result<Self> {
        let target = https_address("origin", origin)?;
        let Some(target) =
            target.strip_suffix('/').filter(|target| !target["https://".len()..].contains(['/', '?']))
        else {
            return Err(Error::new(
                ErrorCode::EndpointInvalid,
                "The origin has more than scheme, host and port; give it as https://host or https://host:port.",
            ));
        };
        let endpoints = self.endpoints()?;
        let moved = |from: &str| Address::parse(from).map(|from| from.moved_to(target));
        Ok(Self {
            authorize_url: moved(&endpoints.authorize),
            token_url: moved(&endpoints.token),
            funds_url: moved(&endpoints.funds),
            ..self
        })
    }

    /// Sets the consent address.
    ///
    /// # Errors
    /// `configuration.endpoint_invalid` when it is not an absolute https URL.
    pub fn with_authorize_url(mut self, url: &str) -> Result<Self> {
        https_address("authorize_url", url)?;
        self.authorize_url = Some(url.to_owned());
        Ok(self)
    }

    /// Sets the token address.
    ///
    /// # Errors
    /// `configuration.endpoint_invalid` when it is not an absolute https URL.
    pub fn with_token_url(mut self, url: &str) -> Result<Self> {
        https_address("token_url", url)?;
        self.token_url = Some(url.to_owned());
        Ok(self)
    }

    /// Sets the funds address.
    ///
    /// # Errors
    /// `configuration.endpoint_invalid` when it is not an absolute https URL.
    pub fn with_funds_url(mut self, url: &str) -> Result<Self> {
        https_address("funds_url", url)?;
        self.funds_url = Some(url.to_owned());
        Ok(self)
    }

    /// Trusts one or more further root certificates (PEM), and states whether the public web's roots stay
    /// trusted. The mode holds for all own roots of the bank.
    ///
    /// # Errors
    /// `configuration.trust_anchor` when the text holds no certificate or one that cannot be read.
    pub fn with_trust_anchor(mut self, pem: &str, mode: TrustMode) -> Result<Self> {
        validation::trust_anchor("trust_anchors.pem", pem)?;
        self.trust_anchors.pem.push(pem.to_owned());
        self.trust_anchors.mode = mode;
        Ok(self)
    }
}

/// The address, when it is absolute, https, and has neither user information nor a fragment.
pub(super) fn https_address(field: &str, text: &str) -> Result<String> {
    Address::parse(text)
        .filter(|address| {
            address.scheme() == "https" && !address.has_user_information() && !address.has_fragment()
        })
        .and_then(|address| address.normalized())
        .ok_or_else(|| {
            Error::new(
                ErrorCode::EndpointInvalid,
                format!("{field} is not an absolute https URL without user name and fragment; correct it."),
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bank::Environment;
    use proptest::prelude::*;

    fn bank() -> Bank {
        Bank::bpce("17515", Environment::Sandbox).unwrap()
    }

    #[test]
    fn an_origin_moves_all_three() {
        let moved = bank().with_origin("https://localhost:8443").unwrap();
        assert_eq!(moved.authorize_url.as_deref(), Some("https://localhost:8443/stet/psd2/oauth/authorize"));
        assert_eq!(moved.token_url.as_deref(), Some("https://localhost:8443/stet/psd2/oauth/token"));
        assert_eq!(
            moved.funds_url.as_deref(),
            Some("https://localhost:8443/stet/psd2/v1.4.2/funds-confirmations")
        );
        let three = Bank::by_id("lydia", Environment::Production).unwrap();
        let moved = three.with_origin("https://[::1]:9/").unwrap().endpoints().unwrap();
        assert_eq!(moved.funds, "https://[::1]:9/cbpii/funds-confirmations");
        assert_eq!(moved.token, "https://[::1]:9/openbanking/oauth/v2/token");
    }

    #[test]
    fn only_an_https_origin_moves_them() {
        for origin in [
            "",
            "localhost",
            "http://localhost",
            "https://",
            "https://h/p",
            "https://h?q",
            "https://u@h",
            "https://u:p@h",
            "https://h#f",
            "ftp://h",
            "https://h:99999",
            "//h",
            " https://h",
            "https://h\n",
        ] {
            let error = bank().with_origin(origin).unwrap_err();
            assert_eq!(error.code(), ErrorCode::EndpointInvalid, "{origin:?}");
        }
    }

    #[test]
    fn each_address_can_be_set() {
        let bank = bank().with_authorize_url("https://a.example/x?y=1").unwrap();
        let bank = bank.with_token_url("https://t.example/t").unwrap();
        let bank = bank.with_funds_url("https://f.example/f").unwrap();
        let endpoints = bank.endpoints().unwrap();
        assert_eq!(endpoints.authorize, "https://a.example/x?y=1");
        assert_eq!(endpoints.token, "https://t.example/t");
        assert_eq!(endpoints.funds, "https://f.example/f");
        assert!(bank.clone().with_funds_url("http://f.example/f").is_err());
        assert!(bank.clone().with_token_url("/token").is_err());
        assert!(bank.with_authorize_url("https://f.example/f#a").is_err());
    }

    #[test]
    fn a_missing_address_is_named() {
        let bank = Bank::by_id("bnp-paribas", Environment::Production).unwrap();
        let error = bank.endpoints().unwrap_err();
        assert_eq!(error.code(), ErrorCode::EndpointMissing);
        assert_eq!(
            error.message(),
            "The record of bank bnp-paribas has no authorize_url; set it to the address the bank gave you."
        );
        assert_eq!(bank.with_origin("https://h").unwrap_err().code(), ErrorCode::EndpointMissing);
    }

    proptest! {
        #[test]
        fn any_origin_is_answered(origin in any::<String>()) {
            let _ = bank().with_origin(&origin);
            let _ = bank().with_origin(&format!("https://{origin}"));
        }
    }
}
