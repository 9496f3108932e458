//! One question: "are these funds there?".

use serde_json::Value;

use super::{Account, AccountIdentifier, Amount, PsuContext};
use crate::bank::{AccountMember, AmountFormat};
use crate::{Error, ErrorCode, Result};

/// The longest reference (STET `paymentCoverageRequestId`).
const MAX_REFERENCE: usize = 35;
/// The longest payee (STET `payee`).
const MAX_PAYEE: usize = 70;
/// The longest `X-Request-ID` the banks accept.
const MAX_REQUEST_ID: usize = 70;

/// One question to the bank: does this account hold this amount at this moment? (STET
/// `PaymentCoverageRequestResource`.) Nothing is reserved by asking.
///
/// ```
/// # fn main() -> cbpii::Result<()> {
/// use cbpii::{Amount, FundsRequest, Iban};
///
/// let account = Iban::parse("FR76 1751 5900 0008 0035 8074 006")?;
/// let request = FundsRequest::new("order-4711", account, Amount::new("459.00", "EUR")?)?
///     .payee("Librairie des Colonnes")?;
/// # let _ = request;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FundsRequest {
    pub(crate) reference: String,
    pub(crate) account: Account,
    pub(crate) amount: Amount,
    pub(crate) payee: Option<String>,
    pub(crate) psu: Option<PsuContext>,
    pub(crate) request_id: Option<String>,
}

impl FundsRequest {
    /// A question. `reference` is the issuer's own, 1 to 35 characters without control characters, and comes
    /// back in the answer.
    ///
    /// # Errors
    /// `request.reference` for the reference; `request.currency` when the account states another currency
    /// than the amount's.
    pub fn new(reference: &str, account: impl Into<Account>, amount: Amount) -> Result<Self> {
        let account = account.into();
        if account.currency().is_some_and(|currency| currency != amount.currency()) {
            return Err(Error::new(
                ErrorCode::Currency,
                "The amount is not in the account's currency; ask in the currency the account is held in.",
            ));
        }
        let reference = checked(ErrorCode::Reference, "reference", reference, MAX_REFERENCE)?;
        Ok(Self { reference, account, amount, payee: None, psu: None, request_id: None })
    }

    /// Names the merchant, for the cardholder's information: 1 to 70 characters without control characters.
    ///
    /// # Errors
    /// `request.payee` for any other text.
    pub fn payee(mut self, payee: &str) -> Result<Self> {
        self.payee = Some(checked(ErrorCode::Payee, "payee", payee, MAX_PAYEE)?);
        Ok(self)
    }

    /// Tells the bank about the cardholder's own connection, when the cardholder is present.
    ///
    /// # Errors
    /// `request.psu_header` as in [`PsuContext::validate`].
    pub fn psu(mut self, psu: PsuContext) -> Result<Self> {
        psu.validate()?;
        self.psu = Some(psu);
        Ok(self)
    }

    /// Sets the `X-Request-ID` of the call, 1 to 70 visible ASCII characters; without it the client makes a
    /// fresh UUID.
    ///
    /// # Errors
    /// `request.request_id` for any other text.
    pub fn request_id(mut self, id: &str) -> Result<Self> {
        let visible = id.bytes().all(|byte| byte.is_ascii_graphic());
        if id.is_empty() || id.len() > MAX_REQUEST_ID || !visible {
            return Err(Error::new(
                ErrorCode::RequestId,
                "The request id is not 1 to 70 visible ASCII characters; a UUID is a good one.",
            ));
        }
        self.request_id = Some(id.to_owned());
        Ok(self)
    }

    /// The issuer's own reference.
    #[must_use]
    pub fn reference(&self) -> &str {
        &self.reference
    }

    /// The account in question.
    #[must_use]
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// The amount in question.
    #[must_use]
    pub fn amount(&self) -> Amount {
        self.amount
    }

    /// The JSON exactly as it is sent, its members in the order of the published samples. The amount is
    /// written digit by digit and never passes through a floating-point number.
    pub(crate) fn to_body(&self, amount_format: AmountFormat, account_member: AccountMember) -> String {
        let mut body = String::with_capacity(320);
        body.push_str("{\"paymentCoverageRequestId\":");
        push_text(&mut body, &self.reference);
        if let Some(payee) = &self.payee {
            push_member(&mut body, "payee", payee);
        }
        body.push_str(",\"instructedAmount\":{\"currency\":\"");
        body.push_str(self.amount.currency().code());
        let amount = self.amount.value().to_string();
        match amount_format {
            AmountFormat::String => body.extend(["\",\"amount\":\"", &amount, "\"}"]),
            AmountFormat::Number => body.extend(["\",\"amount\":", &amount, "}"]),
        }
        body.push_str(",\"accountId\":{");
        self.push_account(&mut body, account_member);
        body.push_str("}}");
        body
    }

    /// The members of `accountId`.
    fn push_account(&self, body: &mut String, account_member: AccountMember) {
        match self.account.identifier() {
            AccountIdentifier::Iban(iban) => {
                body.extend(["\"", account_member.as_str(), "\":\"", iban.as_str(), "\""]);
            }
            AccountIdentifier::Other(other) => {
                body.push_str("\"other\":{\"identification\":");
                push_text(body, other.identification());
                body.extend([",\"schemeName\":\"", other.scheme().as_str(), "\""]);
                if let Some(issuer) = other.issuer() {
                    push_member(body, "issuer", issuer);
                }
                body.push('}');
            }
        }
        if let Some(currency) = self.account.currency() {
            push_member(body, "currency", currency.code());
        }
        if let Some(workspace) = self.account.workspace() {
            push_member(body, "workspace", workspace);
        }
    }
}

/// A further member of an object; `name` needs no escaping.
fn push_member(body: &mut String, name: &str, text: &str) {
    body.extend([",\"", name, "\":"]);
    push_text(body, text);
}

/// A JSON string, escaped.
fn push_text(body: &mut String, text: &str) {
    body.push_str(&Value::from(text).to_string());
}

/// The text, when it has 1 to `limit` characters, none of them a control character.
fn checked(code: ErrorCode, member: &str, text: &str, limit: usize) -> Result<String> {
    if text.trim().is_empty() || text.chars().count() > limit || text.chars().any(char::is_control) {
        return Err(Error::new(
            code,
            format!(
                "The {member} is empty, longer than {limit} characters or has control characters; correct it."
            ),
        ));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::funds::{AccountScheme, Currency, Iban};
    use proptest::prelude::*;

    const LEA: &str = "FR7613807008043001965405158";

    fn request(reference: &str, amount: &str) -> FundsRequest {
        let account = Iban::parse(LEA).unwrap();
        FundsRequest::new(reference, account, Amount::new(amount, "EUR").unwrap()).unwrap()
    }

    #[test]
    fn the_body_is_that_of_the_published_sample() {
        assert_eq!(
            request("MyCoverage123456", "12345").to_body(AmountFormat::String, AccountMember::Iban),
            format!(
                r#"{{"paymentCoverageRequestId":"MyCoverage123456","instructedAmount":{{"currency":"EUR","amount":"12345"}},"accountId":{{"iban":"{LEA}"}}}}"#
            )
        );
    }

    #[test]
    fn amount_and_account_follow_the_banks_spelling() {
        assert_eq!(
            request("r", "12.50")
                .payee("Chez \"Zoé\"")
                .unwrap()
                .to_body(AmountFormat::Number, AccountMember::CapitalIban),
            format!(
                r#"{{"paymentCoverageRequestId":"r","payee":"Chez \"Zoé\"","instructedAmount":{{"currency":"EUR","amount":12.50}},"accountId":{{"Iban":"{LEA}"}}}}"#
            )
        );
    }

    #[test]
    fn every_member_of_an_account_is_sent() {
        let account = Account::other("4970\\1", AccountScheme::Cpan, Some("The \"Issuer\""))
            .unwrap()
            .with_currency(Currency::EUR)
            .with_workspace("pro")
            .unwrap();
        let request = FundsRequest::new("r", account, Amount::new("1", "EUR").unwrap()).unwrap();
        assert_eq!(
            request.to_body(AmountFormat::String, AccountMember::Iban),
            r#"{"paymentCoverageRequestId":"r","instructedAmount":{"currency":"EUR","amount":"1"},"accountId":{"other":{"identification":"4970\\1","schemeName":"CPAN","issuer":"The \"Issuer\""},"currency":"EUR","workspace":"pro"}}"#
        );
    }

    #[test]
    fn texts_are_bounded() {
        let iban = Iban::parse(LEA).unwrap();
        let amount = Amount::new("1", "EUR").unwrap();
        assert!(FundsRequest::new(&"é".repeat(35), iban, amount).is_ok());
        for reference in ["", "  ", "a\nb", "a\0", &"x".repeat(36)] {
            let error = FundsRequest::new(reference, iban, amount).unwrap_err();
            assert_eq!(error.code(), ErrorCode::Reference, "{reference:?}");
        }
        let request = request("r", "1");
        assert_eq!(request.clone().payee(&"x".repeat(71)).unwrap_err().code(), ErrorCode::Payee);
        for id in ["", "a b", "a\r\n", "é", &"x".repeat(71)] {
            assert_eq!(request.clone().request_id(id).unwrap_err().code(), ErrorCode::RequestId);
        }
        assert!(request.clone().request_id(&"x".repeat(70)).is_ok());
        let psu = PsuContext { accept: Some("\n".into()), ..PsuContext::default() };
        assert_eq!(request.psu(psu).unwrap_err().code(), ErrorCode::PsuHeader);
    }

    #[test]
    fn the_currency_must_be_the_accounts() {
        let account = Account::iban(Iban::parse(LEA).unwrap()).with_currency(Currency::EUR);
        let error = FundsRequest::new("r", account, Amount::new("1", "USD").unwrap()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Currency);
    }

    #[test]
    fn debug_masks_the_account() {
        let shown = format!("{:?}", request("r", "1"));
        assert!(shown.contains("FR76…5158") && !shown.contains("13807"), "{shown}");
    }

    proptest! {
        #[test]
        fn any_text_is_answered(reference in any::<String>(), payee in any::<String>(), id in any::<String>()) {
            let iban = Iban::parse(LEA).unwrap();
            let amount = Amount::new("1", "EUR").unwrap();
            if let Ok(request) = FundsRequest::new(&reference, iban, amount) {
                let _ = request.clone().payee(&payee);
                let _ = request.request_id(&id);
            }
        }

        #[test]
        fn the_body_parses_back(reference in "[ -~é€𝄞\u{2028}]{1,35}", payee in "\\PC{1,70}", cents in 1_u64..100_000_000_000_000) {
            prop_assume!(!reference.trim().is_empty() && !payee.trim().is_empty());
            prop_assume!(!payee.chars().any(char::is_control));
            let amount = format!("{}.{:02}", cents / 100, cents % 100);
            let request = request(&reference, &amount).payee(&payee).unwrap();
            let body = request.to_body(AmountFormat::String, AccountMember::Iban);
            let read: Value = serde_json::from_str(&body).unwrap();
            prop_assert_eq!(&read["paymentCoverageRequestId"], &reference);
            prop_assert_eq!(&read["payee"], &payee);
            prop_assert_eq!(&read["instructedAmount"]["amount"], &amount);
            prop_assert_eq!(&read["accountId"]["iban"], LEA);
            let body = request.to_body(AmountFormat::Number, AccountMember::Iban);
            prop_assert!(serde_json::from_str::<Value>(&body).unwrap()["instructedAmount"]["amount"].is_number());
            let expected = format!("\"amount\":{amount}}}");
            prop_assert!(body.contains(&expected));
        }
    }
}
