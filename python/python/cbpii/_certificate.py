"""What there is to say about a certificate, for people who have to enrol it at a bank."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from . import _cbpii
from ._convert import moment_of_text
from .enums import CertificateUse, Psd2Role, QcType, Severity

if TYPE_CHECKING:
    import os

    from ._cbpii import Secret


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a certificate, or worth knowing."""

    severity: Severity
    """How grave it is."""
    code: str
    """What it is about, e.g. ``not_a_cbpii``; stable."""
    sentence: str
    """What was found and what to do, for a person."""


@dataclass(frozen=True)
class DistinguishedName:
    """A distinguished name in every spelling a bank may ask for."""

    rfc2253: str
    """RFC 2253, attributes without a keyword as a number and text: ``2.5.4.97=PSDFR-ACPR-12345,CN=…,O=…,C=FR``."""
    rfc2253_hex: str
    """RFC 2253 to the letter, as Java writes it: ``2.5.4.97=#0c1050534446…,CN=…``."""
    rfc4514: str
    """RFC 4514 with OpenSSL's short names: ``organizationIdentifier=PSDFR-ACPR-12345,CN=…``."""
    openssl: str
    """OpenSSL's one line: ``/C=FR/O=…/organizationIdentifier=PSDFR-ACPR-12345/CN=…``."""


@dataclass(frozen=True)
class OrganisationIdentifier:
    """An organisation identifier by the PSD2 scheme of ETSI TS 119 495 §5.2.1: ``PSDFR-ACPR-12345``."""

    text: str
    """The whole identifier."""
    country: str
    """The country of the authority, e.g. ``FR``."""
    authority: str
    """The national authority, e.g. ``ACPR``."""
    number: str
    """The number by which the authority knows the provider, e.g. ``12345``."""

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class CertificateReport:
    """Everything known about a certificate (the leaf of its chain), and what is wrong with it."""

    subject: DistinguishedName
    """Whom it was issued to."""
    issuer: DistinguishedName
    """Who issued it."""
    organisation_identifier: str | None
    """The subject's ``organizationIdentifier`` (2.5.4.97) as it stands, whatever its scheme."""
    psd2_identifier: OrganisationIdentifier | None
    """Its parts, when it follows the PSD2 scheme."""
    psd2_roles: tuple[Psd2Role, ...]
    """The PSD2 roles it carries; empty when it carries none or no such statement."""
    authority_name: str | None
    """The name of the authority that gave the roles."""
    authority_id: str | None
    """The identifier of that authority, e.g. ``FR-ACPR``."""
    qc_types: tuple[QcType, ...]
    """What it was issued for, as a qualified certificate states it."""
    qualified: bool
    """Whether it states that it is qualified (QcCompliance)."""
    secure_device: bool
    """Whether it states that its key is in a qualified device (QcSSCD)."""
    not_before: datetime
    """The first moment of its validity, in UTC."""
    not_after: datetime
    """The last moment of its validity, in UTC."""
    days_left: int
    """Whole days until ``not_after``, rounded down; negative once it has expired."""
    serial_hex: str
    """The serial number in lower-case hexadecimal, two digits a byte."""
    serial_decimal: str
    """The serial number in decimal."""
    sha1_fingerprint: str
    """SHA-1 of the DER, lower-case hexadecimal without colons."""
    sha256_fingerprint: str
    """SHA-256 of the DER, lower-case hexadecimal without colons."""
    x5t_s256: str
    """SHA-256 of the DER as JOSE writes it (RFC 7517 §4.9): the value of ``x5t#S256``."""
    key_type: str
    """The type of its public key: ``RSA``, ``EC P-256``, …."""
    key_bits: int | None
    """The size of that key in bits, when it is known."""
    signature_algorithm: str
    """How the issuer signed it, by OpenSSL's name, e.g. ``sha256WithRSAEncryption``."""
    alternative_names: tuple[str, ...]
    """Subject alternative names: ``DNS:…``, ``IP:…``, ``email:…``, ``URI:…``."""
    chain_length: int
    """How many certificates its chain has, itself included."""
    findings: tuple[Finding, ...]
    """What is wrong or worth knowing, the gravest first."""
    _json: str = field(repr=False, compare=False, default="")

    @classmethod
    def inspect(
        cls,
        certificate: "str | bytes | os.PathLike[str]",
        *,
        use: CertificateUse | str | None = None,
        key: "str | bytes | os.PathLike[str] | None" = None,
        password: "str | Secret | None" = None,
        client_id: str | None = None,
        accept_pss: bool = False,
        now: datetime | None = None,
    ) -> "CertificateReport":
        """Reports on a certificate: PEM (with its chain in any order) as text or bytes, DER as bytes, or a file's path.

        With ``use`` it also checks that the certificate was issued for it; with ``key``, that the key belongs to it;
        with ``client_id``, that it matches the organisation identifier. ``accept_pss`` is for banks that take
        certificates signed with RSASSA-PSS. Validity is judged at ``now``, by default the present.

        Raises ``configuration.certificate_unreadable``, ``configuration.key_unreadable`` and its like.
        """
        return cls._read(_cbpii._inspect_certificate(certificate, use, key, password, client_id, accept_pss, now))

    def to_json(self) -> str:
        """The whole report as JSON."""
        return self._json

    @classmethod
    def _read(cls, text: str) -> "CertificateReport":
        facts: dict[str, Any] = json.loads(text)
        identifier = facts["psd2_identifier"]
        facts.update(
            subject=DistinguishedName(**facts["subject"]),
            issuer=DistinguishedName(**facts["issuer"]),
            psd2_identifier=None if identifier is None else OrganisationIdentifier(**identifier),
            psd2_roles=tuple(map(Psd2Role, facts["psd2_roles"])),
            qc_types=tuple(map(QcType, facts["qc_types"])),
            not_before=moment_of_text(facts["not_before"]),
            not_after=moment_of_text(facts["not_after"]),
            x5t_s256=facts.pop("x5t#S256"),
            alternative_names=tuple(facts["alternative_names"]),
            findings=tuple(finding(**one) for one in facts["findings"]),
        )
        return cls(**facts, _json=text)


def finding(severity: str, code: str, sentence: str) -> Finding:
    """A finding of its plain parts."""
    return Finding(Severity(severity), code, sentence)
