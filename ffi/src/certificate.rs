//! What a bank will see in a certificate, and what is wrong with it.

use std::ffi::{CString, c_char};
use std::ptr;
use std::time::SystemTime;

use cbpii_core::identity::{
    CertificateReport, CertificateUse, DistinguishedName, Finding, InspectOptions, PrivateKey, Psd2Role,
    QcType, Severity,
};
use cbpii_core::{Error, ErrorCode, Timestamp};

use crate::error::cbpii_error;
use crate::guard;
use crate::handle::{Tagged, fact, free, given, given_mut, handle, optional, out};
use crate::names::{Enumeration, name_of, stable};
use crate::string::cbpii_string;
use crate::text::{TextList, Texts, bytes, c_string, optional_secret, text};

/// Mutual TLS with the bank: the QWAC.
pub const CBPII_USE_TRANSPORT: i32 = 1;
/// Signing requests: the QSealC.
pub const CBPII_USE_SEAL: i32 = 2;

/// Banks will refuse; no client is built with this certificate.
pub const CBPII_SEVERITY_ERROR: i32 = 1;
/// Some banks may refuse, or will soon.
pub const CBPII_SEVERITY_WARNING: i32 = 2;
/// Worth knowing.
pub const CBPII_SEVERITY_INFORMATION: i32 = 3;

/// `PSP_AS`, account servicing: a bank.
pub const CBPII_ROLE_PSP_AS: i32 = 1;
/// `PSP_PI`, payment initiation.
pub const CBPII_ROLE_PSP_PI: i32 = 2;
/// `PSP_AI`, account information.
pub const CBPII_ROLE_PSP_AI: i32 = 3;
/// `PSP_IC`, issuing of card-based payment instruments: what funds confirmation needs.
pub const CBPII_ROLE_PSP_IC: i32 = 4;

/// Electronic signatures of a person.
pub const CBPII_QC_TYPE_ESIGN: i32 = 1;
/// Electronic seals of an organisation: a QSealC.
pub const CBPII_QC_TYPE_ESEAL: i32 = 2;
/// Website authentication, and in PSD2 both ends of TLS: a QWAC.
pub const CBPII_QC_TYPE_WEB: i32 = 3;

/// RFC 2253, attributes without a keyword as number and text: `2.5.4.97=PSDFR-ACPR-12345,CN=…`.
pub const CBPII_SPELLING_RFC2253: i32 = 1;
/// RFC 2253, attributes without a keyword as number and DER in hexadecimal: `2.5.4.97=#0c10…,CN=…`.
pub const CBPII_SPELLING_RFC2253_HEX: i32 = 2;
/// RFC 4514 with OpenSSL's short names: `organizationIdentifier=PSDFR-ACPR-12345,CN=…`.
pub const CBPII_SPELLING_RFC4514: i32 = 3;
/// OpenSSL's one line: `/C=FR/O=…/organizationIdentifier=PSDFR-ACPR-12345/CN=…`.
pub const CBPII_SPELLING_OPENSSL: i32 = 4;

/// What was found about certificates, the gravest first.
pub struct cbpii_findings {
    _opaque: [u8; 0],
}

handle!(cbpii_findings => Vec<FindingFacts>);

/// One finding with its strings.
pub struct FindingFacts {
    severity: Severity,
    code: *const c_char,
    sentence: CString,
}

pub(crate) fn findings_of(findings: &[Finding]) -> Vec<FindingFacts> {
    let facts = |finding: &Finding| FindingFacts {
        severity: finding.severity,
        code: stable(finding.code.as_str()),
        sentence: c_string(&finding.sentence),
    };
    findings.iter().map(facts).collect()
}

unsafe fn finding<T>(
    findings: *const cbpii_findings,
    place: usize,
    absent: T,
    read: impl FnOnce(&FindingFacts) -> T,
) -> T
where
    T: Copy,
{
    unsafe { fact(findings, absent, |findings| findings.get(place).map_or(absent, read)) }
}

/// How many findings there are. 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_findings_count(findings: *const cbpii_findings) -> usize {
    unsafe { fact(findings, 0, Vec::len) }
}

/// How grave a finding is: one of `CBPII_SEVERITY_…`. 0 beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_findings_severity(findings: *const cbpii_findings, place: usize) -> i32 {
    unsafe { finding(findings, place, 0, |one| one.severity.number()) }
}

/// What a finding is about: a stable text, e.g. "not_a_cbpii". NULL beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_findings_code(findings: *const cbpii_findings, place: usize) -> *const c_char {
    unsafe { finding(findings, place, ptr::null(), |one| one.code) }
}

/// What was found and what to do, for a person. NULL beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_findings_sentence(
    findings: *const cbpii_findings,
    place: usize,
) -> *const c_char {
    unsafe { finding(findings, place, ptr::null(), |one| one.sentence.as_ptr()) }
}

/// Frees findings that the caller owns, not those borrowed from a report. NULL is left alone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_findings_free(findings: *mut cbpii_findings) {
    unsafe { free(findings) }
}

/// What to hold a certificate against.
pub struct cbpii_inspect_options {
    _opaque: [u8; 0],
}

handle!(cbpii_inspect_options => InspectFacts);

/// The options as they were given.
#[derive(Default)]
pub struct InspectFacts {
    now: Option<Timestamp>,
    certificate_use: Option<CertificateUse>,
    key: Option<PrivateKey>,
    client_id: Option<String>,
    accepts_pss: bool,
}

impl InspectFacts {
    fn options(&self) -> InspectOptions {
        let now = self.now.unwrap_or_else(|| SystemTime::now().into());
        let mut options = InspectOptions::at(now).accepting_pss(self.accepts_pss);
        if let Some(certificate_use) = self.certificate_use {
            options = options.for_use(certificate_use);
        }
        if let Some(key) = &self.key {
            options = options.with_key(key.clone());
        }
        if let Some(client_id) = &self.client_id {
            options = options.with_client_id(client_id.as_str());
        }
        options
    }
}

/// Options that hold a certificate against the present time only.
///
/// Fails with request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_inspect_options_new(
    options: *mut *mut cbpii_inspect_options,
) -> *mut cbpii_error {
    guard::call(|| {
        out(options, "options")?.put_new(InspectFacts::default());
        Ok(())
    })
}

/// Sets the moment findings about validity are as of, in milliseconds since 1970 (UTC).
///
/// Fails with request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_inspect_options_set_now(
    options: *mut cbpii_inspect_options,
    now: i64,
) -> *mut cbpii_error {
    guard::call(|| {
        unsafe { given_mut(options, "options") }?.now = Some(Timestamp::from_unix_millis(now));
        Ok(())
    })
}

/// Also checks that the certificate was issued for this use: one of `CBPII_USE_…`.
///
/// Fails with request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_inspect_options_set_use(
    options: *mut cbpii_inspect_options,
    certificate_use: i32,
) -> *mut cbpii_error {
    guard::call(|| {
        let facts = unsafe { given_mut(options, "options") }?;
        facts.certificate_use = Some(match certificate_use {
            CBPII_USE_TRANSPORT => CertificateUse::Transport,
            CBPII_USE_SEAL => CertificateUse::Seal,
            _ => {
                let message =
                    "The argument certificate_use is neither CBPII_USE_TRANSPORT nor CBPII_USE_SEAL.";
                return Err(Error::new(ErrorCode::Argument, message));
            }
        });
        Ok(())
    })
}

/// Also checks that this private key (PEM or DER) belongs to the certificate. `password` may be NULL.
///
/// Fails with configuration.key_unreadable, configuration.key_password, configuration.key_unsupported, request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_inspect_options_set_key(
    options: *mut cbpii_inspect_options,
    key: *const u8,
    key_length: usize,
    password: *const c_char,
) -> *mut cbpii_error {
    guard::call(|| unsafe {
        let facts = given_mut(options, "options")?;
        let password = optional_secret(password, "password")?;
        facts.key = Some(PrivateKey::from_bytes(bytes(key, key_length, "key")?, password.as_ref())?);
        Ok(())
    })
}

/// Also compares the organisation identifier with this client_id, if it looks like one.
///
/// Fails with request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_inspect_options_set_client_id(
    options: *mut cbpii_inspect_options,
    client_id: *const c_char,
) -> *mut cbpii_error {
    guard::call(|| {
        let facts = unsafe { given_mut(options, "options") }?;
        facts.client_id = Some(unsafe { text(client_id, "client_id") }?.to_owned());
        Ok(())
    })
}

/// States whether the bank takes certificates signed with RSASSA-PSS. The default is that it does not, as Groupe BPCE.
///
/// Fails with request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_inspect_options_set_accepts_pss(
    options: *mut cbpii_inspect_options,
    accepts: bool,
) -> *mut cbpii_error {
    guard::call(|| {
        unsafe { given_mut(options, "options") }?.accepts_pss = accepts;
        Ok(())
    })
}

/// Frees the options. NULL is left alone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_inspect_options_free(options: *mut cbpii_inspect_options) {
    unsafe { free(options) }
}

/// Everything known about a certificate, and what is wrong with it.
pub struct cbpii_certificate_report {
    _opaque: [u8; 0],
}

handle!(cbpii_certificate_report => ReportFacts);

/// A report with its strings.
pub struct ReportFacts {
    report: CertificateReport,
    subject: Texts<4>,
    issuer: Texts<4>,
    texts: Texts<13>,
    alternative_names: TextList,
    findings: Tagged<cbpii_findings>,
}

fn spellings(name: &DistinguishedName) -> Texts<4> {
    Texts::of([&name.rfc2253, &name.rfc2253_hex, &name.rfc4514, &name.openssl].map(|one| Some(one.as_str())))
}

impl ReportFacts {
    fn new(report: CertificateReport) -> Self {
        let psd2 = report.psd2_identifier.as_ref();
        let texts = Texts::of([
            report.organisation_identifier.as_deref(),
            psd2.map(|one| one.country()),
            psd2.map(|one| one.authority()),
            psd2.map(|one| one.number()),
            report.authority_name.as_deref(),
            report.authority_id.as_deref(),
            Some(&report.serial_hex),
            Some(&report.serial_decimal),
            Some(&report.sha1_fingerprint),
            Some(&report.sha256_fingerprint),
            Some(&report.x5t_s256),
            Some(&report.key_type),
            Some(&report.signature_algorithm),
        ]);
        let names: Vec<&str> = report.alternative_names.iter().map(String::as_str).collect();
        let (subject, issuer) = (spellings(&report.subject), spellings(&report.issuer));
        let alternative_names = TextList::of(&names);
        let findings = Tagged::new(findings_of(&report.findings));
        Self { report, subject, issuer, texts, alternative_names, findings }
    }
}

/// Reports on a certificate, PEM (with its chain in any order) or DER. `options` may be NULL.
///
/// Fails with configuration.certificate_unreadable, request.argument; what is wrong with it are findings, not errors.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_certificate_inspect(
    certificate: *const u8,
    length: usize,
    options: *const cbpii_inspect_options,
    report: *mut *mut cbpii_certificate_report,
) -> *mut cbpii_error {
    guard::call(|| unsafe {
        let place = out(report, "report")?;
        let certificate = bytes(certificate, length, "certificate")?;
        let options = optional(options, "options")?
            .map_or_else(|| InspectFacts::default().options(), InspectFacts::options);
        place.put_new(ReportFacts::new(CertificateReport::inspect(certificate, &options)?));
        Ok(())
    })
}

unsafe fn text_of(report: *const cbpii_certificate_report, place: usize) -> *const c_char {
    unsafe { fact(report, ptr::null(), |facts| facts.texts.get(place)) }
}

/// The place of a spelling.
fn spelling(number: i32) -> Option<usize> {
    usize::try_from(number).ok().filter(|number| (1..=4).contains(number)).map(|number| number - 1)
}

/// Whom the certificate was issued to, in one of `CBPII_SPELLING_…`. NULL for another number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_certificate_report_subject(
    report: *const cbpii_certificate_report,
    spelling_number: i32,
) -> *const c_char {
    unsafe {
        fact(report, ptr::null(), |facts| {
            spelling(spelling_number).map_or(ptr::null(), |place| facts.subject.get(place))
        })
    }
}

/// Who issued the certificate, in one of `CBPII_SPELLING_…`. NULL for another number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_certificate_report_issuer(
    report: *const cbpii_certificate_report,
    spelling_number: i32,
) -> *const c_char {
    unsafe {
        fact(report, ptr::null(), |facts| {
            spelling(spelling_number).map_or(ptr::null(), |place| facts.issuer.get(place))
        })
    }
}

/// The subject's organizationIdentifier (2.5.4.97) as it stands, e.g. "PSDFR-ACPR-12345". NULL when it has none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_certificate_report_organisation_identifier(
    report: *const cbpii_certificate_report,
) -> *const c_char {
    unsafe { text_of(report, 0) }
}

/// The country of its PSD2 authority, e.g. "FR". NULL when the identifier does not follow ETSI TS 119 495.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_certificate_report_psd2_country(
    report: *const cbpii_certificate_report,
) -> *const c_char {
    unsafe { text_of(report, 1) }
}

/// The PSD2 authority, e.g. "ACPR". NULL as above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_certificate_report_psd2_authority(
    report: *const cbpii_certificate_report,
) -> *const c_char {
    unsafe { text_of(report, 2) }
}

/// The authorisation number, e.g. "12345". NULL as above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_certificate_report_psd2_number(
    report: *const cbpii_certificate_report,
) -> *const c_char {
    unsafe { text_of(report, 3) }
}

/// The name of the authority that gave the roles. NULL when there is no PSD2 statement.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_certificate_report_authority_name(
    report: *const cbpii_certificate_report,
) -> *const c_char {
    unsafe { text_of(report, 4) }
}

/// The identifier of that authority, e.g. "FR-ACPR". NULL as above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_certificate_report_authority_id(
    report: *const cbpii_certificate_report,
) -> *const c_char {
    unsafe { text_of(report, 5) }
}

/// The serial number in lower-case hexadecimal, two digits a byte.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_certificate_report_serial_hex(
    report: *const cbpii_certificate_report,
) -> *const c_char {
    unsafe { text_of(report, 6) }
}

/// The serial number in decimal.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_certificate_report_serial_decimal(
    report: *const cbpii_certificate_report,
) -> *const c_char {
    unsafe { text_of(report, 7) }
}

/// SHA-1 of the DER, lower-case hexadecimal without colons.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_certificate_report_sha1_fingerprint(
    report: *const cbpii_certificate_report,
) -> *const c_char {
    unsafe { text_of(report, 8) }
}

/// SHA-256 of the DER, lower-case hexadecimal without colons.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_certificate_report_sha256_fingerprint(
    report: *const cbpii_certificate_report,
) -> *const c_char {
    unsafe { text_of(report, 9) }
}

/// SHA-256 of the DER as JOSE writes it (RFC 7517 §4.9): the value of x5t#S256.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_certificate_report_x5t_s256(
    report: *const cbpii_certificate_report,
) -> *const c_char {
    unsafe { text_of(report, 10) }
}

/// The type of its public key: "RSA", "EC P-256", ….
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_certificate_report_key_type(
    report: *const cbpii_certificate_report,
) -> *const c_char {
    unsafe { text_of(report, 11) }
}

/// How its issuer signed it, by OpenSSL's name, e.g. "sha256WithRSAEncryption".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_certificate_report_signature_algorithm(
    report: *const cbpii_certificate_report,
) -> *const c_char {
    unsafe { text_of(report, 12) }
}

/// Whether it carries this PSD2 role: one of `CBPII_ROLE_…`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_certificate_report_has_role(
    report: *const cbpii_certificate_report,
    role: i32,
) -> bool {
    unsafe {
        fact(report, false, |facts| {
            Psd2Role::of(role).is_some_and(|role| facts.report.psd2_roles.contains(&role))
        })
    }
}

/// Whether it was issued for this purpose, as a qualified certificate states it: one of `CBPII_QC_TYPE_…`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_certificate_report_has_qc_type(
    report: *const cbpii_certificate_report,
    qc_type: i32,
) -> bool {
    unsafe {
        fact(report, false, |facts| {
            QcType::of(qc_type).is_some_and(|qc_type| facts.report.qc_types.contains(&qc_type))
        })
    }
}

/// Whether it states that it is qualified.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_certificate_report_is_qualified(
    report: *const cbpii_certificate_report,
) -> bool {
    unsafe { fact(report, false, |facts| facts.report.qualified) }
}

/// Whether it states that its key is in a qualified device.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_certificate_report_has_secure_device(
    report: *const cbpii_certificate_report,
) -> bool {
    unsafe { fact(report, false, |facts| facts.report.secure_device) }
}

/// The first moment of its validity, in milliseconds since 1970 (UTC).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_certificate_report_not_before(report: *const cbpii_certificate_report) -> i64 {
    unsafe { fact(report, 0, |facts| facts.report.not_before.unix_millis()) }
}

/// The last moment of its validity, in milliseconds since 1970 (UTC).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_certificate_report_not_after(report: *const cbpii_certificate_report) -> i64 {
    unsafe { fact(report, 0, |facts| facts.report.not_after.unix_millis()) }
}

/// Whole days until it ends, rounded down; negative once it has expired.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_certificate_report_days_left(report: *const cbpii_certificate_report) -> i64 {
    unsafe { fact(report, 0, |facts| facts.report.days_left) }
}

/// The size of its key in bits. 0 when it is not known.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_certificate_report_key_bits(report: *const cbpii_certificate_report) -> u32 {
    unsafe { fact(report, 0, |facts| facts.report.key_bits.unwrap_or(0)) }
}

/// How many certificates its chain has, itself included.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_certificate_report_chain_length(
    report: *const cbpii_certificate_report,
) -> usize {
    unsafe { fact(report, 0, |facts| facts.report.chain_length) }
}

/// How many alternative names it has.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_certificate_report_alternative_name_count(
    report: *const cbpii_certificate_report,
) -> usize {
    unsafe { fact(report, 0, |facts| facts.alternative_names.len()) }
}

/// An alternative name: "DNS:…", "IP:…", "email:…", "URI:…". NULL beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_certificate_report_alternative_name(
    report: *const cbpii_certificate_report,
    place: usize,
) -> *const c_char {
    unsafe { fact(report, ptr::null(), |facts| facts.alternative_names.get(place)) }
}

/// What is wrong with it or worth knowing, borrowed from the report.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_certificate_report_findings(
    report: *const cbpii_certificate_report,
) -> *const cbpii_findings {
    unsafe { fact(report, ptr::null(), |facts| facts.findings.as_ptr()) }
}

/// The whole report as JSON.
///
/// Fails with request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_certificate_report_to_json(
    report: *const cbpii_certificate_report,
    json: *mut *mut cbpii_string,
) -> *mut cbpii_error {
    guard::call(|| {
        let place = out(json, "json")?;
        place.put_text(&unsafe { given(report, "report") }?.report.to_json());
        Ok(())
    })
}

/// Frees a report and the findings in it. NULL is left alone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_certificate_report_free(report: *mut cbpii_certificate_report) {
    unsafe { free(report) }
}

/// The stable name of a severity, e.g. "warning". NULL for a number that is none.
#[unsafe(no_mangle)]
pub extern "C" fn cbpii_severity_name(severity: i32) -> *const c_char {
    guard::or(ptr::null(), || Some(name_of::<Severity>(severity)))
}

/// The name of a PSD2 role, e.g. "PSP_IC". NULL for a number that is none.
#[unsafe(no_mangle)]
pub extern "C" fn cbpii_role_name(role: i32) -> *const c_char {
    guard::or(ptr::null(), || Some(name_of::<Psd2Role>(role)))
}

/// The stable name of a purpose, e.g. "eseal". NULL for a number that is none.
#[unsafe(no_mangle)]
pub extern "C" fn cbpii_qc_type_name(qc_type: i32) -> *const c_char {
    guard::or(ptr::null(), || Some(name_of::<QcType>(qc_type)))
}
