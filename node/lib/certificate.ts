/** What there is to say about a certificate, for people who have to enrol it at a bank. */

import { optionalBoolean, optionalMoment, optionalText, options } from './check.js'
import { taken } from './errors.js'
import { type Finding, finding, type Material, publicBytes, withKey } from './identity.js'
import { native } from './loader.js'
import type * as Native from './native.js'
import { optionalSecret, type Secret } from './secret.js'

/** What a certificate is given for: mutual TLS with the bank (the QWAC), or signing requests (the QSealC). */
export type CertificateUse = 'transport' | 'seal'

/**
 * What a payment service provider is authorised to be (PSD2, ETSI TS 119 495 §5.1). Funds confirmation needs `PSP_IC`:
 * issuing of card-based payment instruments.
 */
export type Psd2Role = 'PSP_AS' | 'PSP_PI' | 'PSP_AI' | 'PSP_IC'

/** What a qualified certificate was issued for (ETSI EN 319 412-5 §4.2.3): `web` is a QWAC, `eseal` a QSealC. */
export type QcType = 'esign' | 'eseal' | 'web'

/** A distinguished name in every spelling a bank may ask for. */
export interface DistinguishedName {
  /** RFC 2253, attributes without a keyword as a number and text: `2.5.4.97=PSDFR-ACPR-12345,CN=…,O=…,C=FR`. */
  readonly rfc2253: string
  /** RFC 2253 to the letter, as Java writes it: `2.5.4.97=#0c1050534446…,CN=…`. */
  readonly rfc2253Hex: string
  /** RFC 4514 with OpenSSL's short names: `organizationIdentifier=PSDFR-ACPR-12345,CN=…`. */
  readonly rfc4514: string
  /** OpenSSL's one line: `/C=FR/O=…/organizationIdentifier=PSDFR-ACPR-12345/CN=…`. */
  readonly openssl: string
}

/** An organisation identifier by the PSD2 scheme of ETSI TS 119 495 §5.2.1: `PSDFR-ACPR-12345`. */
export interface OrganisationIdentifier {
  /** The whole identifier. */
  readonly text: string
  /** The country of the authority, e.g. `FR`. */
  readonly country: string
  /** The national authority, e.g. `ACPR`. */
  readonly authority: string
  /** The number by which the authority knows the provider, e.g. `12345`. */
  readonly number: string
}

/** How a certificate is looked at. */
export interface InspectOptions {
  /** Checks that it was issued for this. */
  readonly use?: CertificateUse | undefined
  /** Checks that this key belongs to it. */
  readonly key?: Material | undefined
  /** The password of an encrypted key. */
  readonly password?: string | Secret | undefined
  /** Checks that it matches this organisation identifier. */
  readonly clientId?: string | undefined
  /** For banks that take certificates signed with RSASSA-PSS. */
  readonly acceptPss?: boolean | undefined
  /** The moment at which its validity is judged, by default the present. */
  readonly now?: Date | undefined
}

/** Everything known about a certificate (the leaf of its chain), and what is wrong with it. */
export interface CertificateReport {
  /** Whom it was issued to. */
  readonly subject: DistinguishedName
  /** Who issued it. */
  readonly issuer: DistinguishedName
  /** The subject's `organizationIdentifier` (2.5.4.97) as it stands, whatever its scheme. */
  readonly organisationIdentifier: string | null
  /** Its parts, when it follows the PSD2 scheme. */
  readonly psd2Identifier: OrganisationIdentifier | null
  /** The PSD2 roles it carries; empty when it carries none or no such statement. */
  readonly psd2Roles: readonly Psd2Role[]
  /** The name of the authority that gave the roles. */
  readonly authorityName: string | null
  /** The identifier of that authority, e.g. `FR-ACPR`. */
  readonly authorityId: string | null
  /** What it was issued for, as a qualified certificate states it. */
  readonly qcTypes: readonly QcType[]
  /** Whether it states that it is qualified (QcCompliance). */
  readonly qualified: boolean
  /** Whether it states that its key is in a qualified device (QcSSCD). */
  readonly secureDevice: boolean
  /** The first moment of its validity. */
  readonly notBefore: Date
  /** The last moment of its validity. */
  readonly notAfter: Date
  /** Whole days until {@link notAfter}, rounded down; negative once it has expired. */
  readonly daysLeft: number
  /** The serial number in lower-case hexadecimal, two digits a byte. */
  readonly serialHex: string
  /** The serial number in decimal. */
  readonly serialDecimal: string
  /** SHA-1 of the DER, lower-case hexadecimal without colons. */
  readonly sha1Fingerprint: string
  /** SHA-256 of the DER, lower-case hexadecimal without colons. */
  readonly sha256Fingerprint: string
  /** SHA-256 of the DER as JOSE writes it (RFC 7517 §4.9): the value of `x5t#S256`. */
  readonly x5tS256: string
  /** The type of its public key: `RSA`, `EC P-256`, …. */
  readonly keyType: string
  /** The size of that key in bits, when it is known. */
  readonly keyBits: number | null
  /** How the issuer signed it, by OpenSSL's name, e.g. `sha256WithRSAEncryption`. */
  readonly signatureAlgorithm: string
  /** Subject alternative names: `DNS:…`, `IP:…`, `email:…`, `URI:…`. */
  readonly alternativeNames: readonly string[]
  /** How many certificates its chain has, itself included. */
  readonly chainLength: number
  /** What is wrong or worth knowing, the gravest first. */
  readonly findings: readonly Finding[]
}

/**
 * Reports on a certificate: PEM (with its chain in any order) as text or bytes, or DER as bytes.
 *
 * Throws `configuration.certificate_unreadable`, `configuration.key_unreadable` and its like.
 */
export function inspectCertificate(certificate: Material, given: InspectOptions = {}): CertificateReport {
  const known = ['use', 'key', 'password', 'clientId', 'acceptPss', 'now'] as const
  const how = options<InspectOptions>(given, 'inspectCertificate', known)
  const question: Record<string, unknown> = {
    use: optionalText(how.use, 'use'),
    clientId: optionalText(how.clientId, 'clientId'),
    acceptPss: optionalBoolean(how.acceptPss, 'acceptPss'),
    now: optionalMoment(how.now, 'now'),
  }
  const leaf = publicBytes(certificate, 'certificate')
  const password = optionalSecret(how.password, 'password')
  const ask = (key?: Uint8Array) =>
    taken(native.inspectCertificate(leaf, { ...question, key } as Native.CertificateQuestion, password))
  return report(JSON.parse(how.key === undefined ? ask() : withKey(how.key, 'key', ask)))
}

function name(given: { rfc2253: string; rfc2253_hex: string; rfc4514: string; openssl: string }): DistinguishedName {
  const { rfc2253, rfc2253_hex: rfc2253Hex, rfc4514, openssl } = given
  return Object.freeze({ rfc2253, rfc2253Hex, rfc4514, openssl })
}

// biome-ignore lint/suspicious/noExplicitAny: it is JSON of this library's own.
function report(facts: any): CertificateReport {
  return Object.freeze({
    subject: name(facts.subject),
    issuer: name(facts.issuer),
    organisationIdentifier: facts.organisation_identifier,
    psd2Identifier: facts.psd2_identifier && Object.freeze(facts.psd2_identifier),
    psd2Roles: Object.freeze(facts.psd2_roles),
    authorityName: facts.authority_name,
    authorityId: facts.authority_id,
    qcTypes: Object.freeze(facts.qc_types),
    qualified: facts.qualified,
    secureDevice: facts.secure_device,
    notBefore: new Date(facts.not_before),
    notAfter: new Date(facts.not_after),
    daysLeft: facts.days_left,
    serialHex: facts.serial_hex,
    serialDecimal: facts.serial_decimal,
    sha1Fingerprint: facts.sha1_fingerprint,
    sha256Fingerprint: facts.sha256_fingerprint,
    x5tS256: facts['x5t#S256'],
    keyType: facts.key_type,
    keyBits: facts.key_bits,
    signatureAlgorithm: facts.signature_algorithm,
    alternativeNames: Object.freeze(facts.alternative_names),
    chainLength: facts.chain_length,
    findings: Object.freeze(facts.findings.map(finding)),
  })
}
