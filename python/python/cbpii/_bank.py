"""Banks: everything that differs from one to another, as data."""

from collections.abc import Mapping

from . import _cbpii
from .enums import (
    AccountMember,
    AmountFormat,
    ClientAuthentication,
    EchoRule,
    Environment,
    RefreshTokenRotation,
    SealAlgorithm,
    Standard,
    TrustMode,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dataclasses import dataclass, field
    from typing import Any
else:
    from ._frozen import dataclass, field


@dataclass(frozen=True)
class SignatureDialect:
    """How the messages to a bank are signed (draft-cavage-http-signatures)."""

    headers: tuple[str, ...]
    """What is signed, in this order: lower-case header names, ``(request-target)``, and at most once the marker
    ``psu-*``, which stands for every ``PSU-*`` header that is present."""
    key_id: str | Mapping[str, str] = field(hash=False)
    """What the keyId says: ``client_id``, ``certificate_url``, ``serial_hex``, ``issuer_dn``, ``serial_and_issuer``,
    ``configured``, or ``{"fixed": "…"}``."""
    algorithm: SealAlgorithm
    """How the signature is computed."""
    algorithm_label: str
    """What the ``algorithm`` parameter says, which need not be the truth."""
    separator: str
    """What stands between the parameters of the ``Signature`` header: a comma, or a comma and a blank."""


@dataclass(frozen=True)
class TrustAnchors:
    """The root certificates a bank's own TLS certificate may be issued under."""

    mode: TrustMode = TrustMode.ADD
    """Whether ``pem`` comes on top of the public web's roots or instead of them."""
    pem: tuple[str, ...] = field(default=(), repr=False)
    """PEM texts of one or more certificates each."""


@dataclass(frozen=True)
class Bank:
    """Everything that differs from bank to bank.

    Records come from the compiled-in directory (:meth:`bpce`, :meth:`from_iban`, :meth:`find`) or from JSON
    (:meth:`from_json`); :meth:`replace` makes a changed one. A record is validated where it is made by one of these
    methods, and when a client is made with it.
    """

    id: str
    """Stable name of the record, e.g. ``bpce-17515``: 1 to 64 of the characters ``a-z``, ``0-9``, ``-``, ``_``, ``.``."""
    name: str
    """The bank's name, for people."""
    standard: Standard
    """The version of the STET definition the bank speaks."""
    brand: str | None
    """The brand the cardholder knows, e.g. ``Caisse d'Epargne``."""
    establishment_code: str | None
    """The bank's five digits in a French IBAN (positions 5 to 9), when one code names it."""
    environment: Environment | None
    """Which installation the endpoints belong to."""
    unverified: bool
    """Whether something in this record has not been confirmed by the bank's own pages; :attr:`note` says what."""
    note: str | None
    """What a user of this record should know: what is deduced, chosen or unknown."""
    authorize_url: str | None
    """Where the cardholder's browser is sent for consent: an absolute https URL."""
    token_url: str | None
    """Where codes and refresh tokens are changed for tokens: an absolute https URL."""
    funds_url: str | None
    """Where funds are asked for: an absolute https URL."""
    scope: str
    """The OAuth 2 scope of this role: ``cbpii``, or ``piisp`` for STET 1.4.0."""
    scope_in_token_request: bool
    """Whether the token requests repeat the scope."""
    client_authentication: ClientAuthentication
    """How the issuer proves who it is at the token endpoint."""
    pkce: bool
    """Whether the consent uses PKCE with S256 (RFC 7636)."""
    response_type: bool
    """Whether the consent URL carries ``response_type=code``."""
    refusal_returns: bool
    """Whether a refusing cardholder is sent back; if not, a pending consent just ages out."""
    amount_format: AmountFormat
    """How an amount is written in JSON."""
    accepts_string_result: bool
    """Whether ``"true"`` and ``"false"`` are accepted as results besides ``true`` and ``false``."""
    signature: SignatureDialect | None
    """How messages to the bank are signed; None when they are not."""
    account_member: AccountMember
    """How the IBAN's member of ``accountId`` is spelled."""
    echo: EchoRule
    """How the answer's echo of the request is compared with what was asked."""
    links_required: bool
    """Whether an answer without ``_links`` is refused."""
    request_id_header: str | None
    """The header that carries the request id, usually ``X-Request-ID``; None when the bank documents none."""
    extra_headers: Mapping[str, str] = field(hash=False)
    """Headers the bank wants besides the standard's. The stand-ins ``{client_id}`` and ``{request_id}`` in a value are
    replaced for every call."""
    consent_lifetime_days: int
    """How long a consent lasts from the strong authentication, in days, 1 to 3650: 180, or 90."""
    refresh_token_rotation: RefreshTokenRotation
    """What a refresh does to the refresh token."""
    refused_statuses: tuple[int, ...]
    """Further statuses of a funds answer by which the bank refuses the request, 400 to 599; Lydia's 409."""
    trust_anchors: TrustAnchors
    """The root certificates the bank's TLS certificate may be issued under."""
    response_signing_certificates: tuple[str, ...]
    """Certificates (PEM) the bank signs its answers with. When there are any, an answer must verify."""
    refuses_pss_certificates: bool
    """Whether the bank refuses certificates that are themselves signed with RSASSA-PSS."""

    def __repr__(self) -> str:
        environment = None if self.environment is None else self.environment.value
        return f"Bank(id={self.id!r}, name={self.name!r}, environment={environment!r}, standard={self.standard.value!r})"

    @classmethod
    def bpce(cls, code: str, environment: Environment | str) -> "Bank":
        """The bank of Groupe BPCE's platform 89C3 with this establishment code (positions 5 to 9 of its IBANs).

        Where two brands share a code (13807, 10907), the main one, a Banque Populaire; :meth:`by_code` gives both.
        Raises ``configuration.bank_unknown`` when the platform has no such code.
        """
        return cls._read(_cbpii._bank_bpce(code, environment))

    @classmethod
    def by_id(cls, id: str, environment: Environment | str) -> "Bank":
        """The bank with this id, e.g. ``lydia`` or ``bpce-17515``. Raises ``configuration.bank_unknown``."""
        return cls._read(_cbpii._bank_by_id(id, environment))

    @classmethod
    def by_code(cls, code: str, environment: Environment | str) -> "list[Bank]":
        """Every bank with this establishment code, the main brand first; an empty list when there is none."""
        return [cls._read(record) for record in _cbpii._banks_by_code(code, environment)]

    @classmethod
    def from_iban(cls, iban: "_cbpii.Iban | str", environment: Environment | str) -> "list[Bank]":
        """The bank, or the brands of the bank, that hold the account: found by positions 5 to 9 of a French IBAN.

        Raises ``configuration.bank_unknown`` when there is none, ``request.iban`` when it is no IBAN.
        """
        return [cls._read(record) for record in _cbpii._banks_from_iban(iban, environment)]

    @classmethod
    def find(cls, words: str, environment: Environment | str) -> "list[Bank]":
        """The banks a person may mean, best first: every word must be part of the name, the brand or the code."""
        return [cls._read(record) for record in _cbpii._banks_found(words, environment)]

    @classmethod
    def directory(cls, environment: Environment | str) -> "list[Bank]":
        """Every bank of the directory that exists in this environment."""
        return [cls._read(record) for record in _cbpii._bank_directory(environment)]

    @classmethod
    def from_json(cls, text: str | bytes) -> "Bank":
        """Reads a record from JSON and validates it.

        With ``"base": "<id>"`` and ``"environment"``, it is the directory's record, changed by the other members as a
        JSON merge patch (RFC 7396). Without a base, ``id``, ``name`` and ``standard`` are needed, and the rest is as
        STET has it. Raises ``configuration.bank_record``, naming the path of the field, or another ``configuration``
        error.
        """
        return cls._read(_cbpii._bank_from_json(text))

    def to_json(self) -> str:
        """The whole record as JSON, which :meth:`from_json` reads back."""
        record: str | None = vars(self).get("_record")
        return _to_json(self) if record is None else record

    def replace(self, **changes: "Any") -> "Bank":
        """A record with some fields changed, validated. Raises ``configuration.bank_record`` and its like."""
        import dataclasses

        return self.from_json(dataclasses.replace(self, **changes).to_json())

    def with_origin(self, origin: str) -> "Bank":
        """Moves all endpoints to another origin, e.g. ``https://localhost:8443``; their paths stay.

        Raises ``configuration.endpoint_invalid`` or ``configuration.endpoint_missing``.
        """
        return self._read(_cbpii._bank_with_origin(self.to_json(), origin))

    def with_trust_anchor(self, pem: str | bytes, *, mode: TrustMode | str = TrustMode.ADD) -> "Bank":
        """Adds root certificates (PEM) the bank's TLS certificate may be issued under.

        Raises ``configuration.trust_anchor`` when they cannot be read.
        """
        return self._read(_cbpii._bank_with_trust_anchor(self.to_json(), pem, mode))

    @classmethod
    def _read(cls, record: str) -> "Bank":
        """Of a valid record. Its fields are read from it when one of them is asked for: a call needs none of them."""
        bank = cls.__new__(cls)
        vars(bank)["_record"] = record
        return bank

    if not TYPE_CHECKING:

        def __getattr__(self, name):
            record = vars(self).get("_record")
            if record is None or name not in Bank.__match_args__:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            vars(self).update(_fields(record))
            return vars(self)[name]


def _fields(record: str) -> "dict[str, Any]":
    """What a record says."""
    import json

    fields: dict[str, Any] = json.loads(record)
    environment, signature = fields["environment"], fields["signature"]
    fields.update(
        standard=Standard(fields["standard"]),
        environment=None if environment is None else Environment(environment),
        client_authentication=ClientAuthentication(fields["client_authentication"]),
        amount_format=AmountFormat(fields["amount_format"]),
        account_member=AccountMember(fields["account_member"]),
        echo=EchoRule(fields["echo"]),
        refresh_token_rotation=RefreshTokenRotation(fields["refresh_token_rotation"]),
        refused_statuses=tuple(fields["refused_statuses"]),
        response_signing_certificates=tuple(fields["response_signing_certificates"]),
        trust_anchors=TrustAnchors(TrustMode(fields["trust_anchors"]["mode"]), tuple(fields["trust_anchors"]["pem"])),
    )
    if signature is not None:
        fields["signature"] = SignatureDialect(
            tuple(signature["headers"]),
            signature["key_id"],
            SealAlgorithm(signature["algorithm"]),
            signature["algorithm_label"],
            signature["separator"],
        )
    return fields


def _to_json(bank: Bank) -> str:
    import json

    return json.dumps({name: _plain(value) for name, value in vars(bank).items()})


def _plain(value: "Any") -> "Any":
    """A field as JSON writes it."""
    if isinstance(value, (SignatureDialect, TrustAnchors)):
        return {name: _plain(part) for name, part in vars(value).items()}
    plain: dict[str, object] = {**value} if isinstance(value, Mapping) else value
    return plain
