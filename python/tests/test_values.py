"""Accounts, amounts, requests, moments, and what pickle makes of them."""

import pickle
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, cast

import cbpii
import pytest
from support import CLAIRE, FOREVER, KEY, bare_client, check, sealed, some_tokens


class Int64:
    """An integer of another library."""

    def __index__(self) -> int:
        return 12


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ("12.50", "12.50"),
        ("007.5", "7.5"),
        (12, "12"),
        (Decimal("12.50"), "12.50"),
        (Decimal("12.5000"), "12.50"),
        (Decimal("1E+2"), "100"),
        (Int64(), "12"),
    ],
)
def test_amounts_are_exact(given: Any, value: str) -> None:
    amount = cbpii.Amount(given, "EUR")
    assert str(amount.value) == value
    assert isinstance(amount.value, Decimal)
    assert (amount.currency, str(amount)) == ("EUR", f"{value} EUR")


@pytest.mark.parametrize(
    "given",
    [
        1.5,
        float("nan"),
        "",
        "0",
        "-1",
        "1.001",
        "1e3",
        "1,5",
        0,
        -1,
        Decimal("NaN"),
        Decimal(-1),
        Decimal("0.001"),
        10**30,
    ],
)
def test_no_other_amount_is_taken(given: Any) -> None:
    with pytest.raises(cbpii.InvalidRequestError) as refusal:
        cbpii.Amount(given, "EUR")
    assert refusal.value.code == "request.amount"
    assert isinstance(refusal.value, ValueError)


def test_a_float_is_refused_with_the_reason() -> None:
    with pytest.raises(cbpii.InvalidRequestError, match=r"float.*0\.1.*Decimal"):
        check(59.90)


@pytest.mark.parametrize("given", [True, None, b"12", [12]])
def test_what_is_no_number_is_a_type_error(given: Any) -> None:
    with pytest.raises(TypeError):
        cbpii.Amount(given, "EUR")


def source(**changes: Any) -> dict[str, Any]:
    return {"certificate": b"", "key": b"", **changes}


WRONG_TYPES: list[tuple[str, Callable[[], object]]] = [
    ("reference", lambda: cbpii.FundsRequest(reference=cast(Any, None), account=CLAIRE, amount=1, currency="EUR")),
    ("account", lambda: cbpii.FundsRequest(reference="A", account=cast(Any, 12), amount=1, currency="EUR")),
    ("amount", lambda: cbpii.FundsRequest(reference="A", account=CLAIRE, amount=cast(Any, [1]), currency="EUR")),
    ("currency", lambda: cbpii.FundsRequest(reference="A", account=CLAIRE, amount=1, currency=cast(Any, 978))),
    ("payee", lambda: check(payee=1)),
    ("psu", lambda: check(psu={})),
    ("request_id", lambda: check(request_id=b"1")),
    ("ip_address", lambda: check(psu=cbpii.PsuContext(ip_address=cast(Any, 1)))),
    ("text", lambda: cbpii.Iban(cast(Any, None))),
    ("value", lambda: cbpii.Amount(cast(Any, None), "EUR")),
    ("iban", lambda: cbpii.Account(cast(Any, None))),
    ("scheme", lambda: cbpii.Account.other("1", cast(Any, None))),
    ("iban", lambda: cbpii.Bank.from_iban(cast(Any, 1), "sandbox")),
    ("environment", lambda: cbpii.Bank.bpce("17515", cast(Any, None))),
    ("text", lambda: cbpii.Bank.from_json(cast(Any, {}))),
    ("client_id", lambda: cbpii.Issuer(client_id=cast(Any, None), redirect_uri="https://issuer.example/")),
    ("redirect_uri", lambda: cbpii.Issuer(client_id="1", redirect_uri=cast(Any, None))),
    ("client_secret", lambda: cbpii.Issuer(client_id="1", redirect_uri="https://a.example/", client_secret=cast(Any, b""))),
    ("certificate", lambda: cbpii.TransportIdentity(**source(certificate=None))),
    ("key", lambda: cbpii.TransportIdentity(**source(key=1))),
    ("password", lambda: cbpii.SealIdentity(**source(password=b"1"))),
    ("key_id", lambda: cbpii.SealIdentity(**source(key_id=1))),
    ("bank", lambda: cbpii.Client(cast(Any, None), cbpii.Issuer(client_id="1", redirect_uri="https://a.example/"))),
    ("timeout", lambda: bare_client(timeout="1")),
    ("proxy", lambda: bare_client(proxy=1)),
    ("access_token", lambda: some_tokens(access_token=None)),
    ("obtained_at", lambda: some_tokens(obtained_at="2026-01-01")),
    ("text", lambda: cbpii.Tokens.from_json(cast(Any, {}))),
    ("callback_url", lambda: bare_client().begin_consent().complete(cast(Any, None))),
    ("store", lambda: cbpii.SealedStore(cast(Any, None), key=KEY)),
    ("key", lambda: cbpii.SealedStore("memory", key=cast(Any, KEY.hex()))),
    ("old_keys", lambda: cbpii.SealedStore("memory", key=KEY, old_keys=cast(Any, [KEY.hex()]))),
    ("id", lambda: cbpii.SessionPool(bare_client(), sealed()).open(cast(Any, 42))),
]


@pytest.mark.parametrize(("name", "call"), WRONG_TYPES, ids=[name for name, _ in WRONG_TYPES])
def test_a_type_error_names_the_argument(name: str, call: Callable[[], object]) -> None:
    with pytest.raises(TypeError, match=rf"\b{name} is .*, not "):
        call()


HALF = "\udc80"
NOT_UTF8: list[tuple[str, Callable[[], object]]] = [
    ("reference", lambda: cbpii.FundsRequest(reference=HALF, account=CLAIRE, amount=1, currency="EUR")),
    ("account", lambda: check(iban=HALF)),
    ("amount", lambda: check(HALF)),
    ("payee", lambda: check(payee=HALF)),
    ("user_agent", lambda: check(psu=cbpii.PsuContext(user_agent=HALF))),
    ("code", lambda: cbpii.Currency(HALF)),
    ("words", lambda: cbpii.Bank.find(HALF, "sandbox")),
    ("client_id", lambda: cbpii.Issuer(client_id=HALF, redirect_uri="https://issuer.example/")),
    ("certificate", lambda: cbpii.TransportIdentity(**source(certificate=HALF))),
    ("password", lambda: cbpii.SealIdentity(**source(password=HALF))),
    ("access_token", lambda: some_tokens(access_token=HALF)),
    ("callback_url", lambda: bare_client().begin_consent().complete(HALF)),
    ("id", lambda: cbpii.SessionPool(bare_client(), sealed()).keep(HALF, some_tokens())),
]


@pytest.mark.parametrize(("name", "call"), NOT_UTF8, ids=[name for name, _ in NOT_UTF8])
def test_text_that_is_not_utf8_is_refused(name: str, call: Callable[[], object]) -> None:
    with pytest.raises(cbpii.InvalidRequestError, match=rf"\b{name} is not UTF-8") as refusal:
        call()
    assert refusal.value.code == "request.argument"


def test_what_was_saved_is_utf8() -> None:
    for text in (HALF, b"\xff"):
        with pytest.raises(cbpii.InvalidRequestError, match=r"request\.saved_state"):
            cbpii.Tokens.from_json(text)
        with pytest.raises(cbpii.ConfigurationError, match=r"configuration\.bank_record"):
            cbpii.Bank.from_json(text)


def test_amounts_compare_by_value() -> None:
    assert cbpii.Amount("12.5", "EUR") == cbpii.Amount("12.50", "EUR") != cbpii.Amount("12.5", "USD")
    assert len({cbpii.Amount("12.5", "EUR"), cbpii.Amount("12.50", "EUR")}) == 1
    assert cbpii.Amount("1", "EUR") != 1


def test_currencies() -> None:
    assert (cbpii.Currency("JPY").decimals, str(cbpii.Currency("EUR"))) == (0, "EUR")
    with pytest.raises(cbpii.InvalidRequestError, match=r"request\.currency"):
        cbpii.Currency("eur")


def test_ibans() -> None:
    iban = cbpii.Iban("fr76 1751 5900 0008 0035 8074 006")
    assert (iban.unmasked, iban.country, iban.bank_code) == (CLAIRE, "FR", "17515")
    assert str(iban) == "FR76…4006"
    assert repr(iban) == "Iban('FR76…4006')"
    assert iban == cbpii.Iban(CLAIRE)
    assert cbpii.Iban("DE89370400440532013000").bank_code is None
    with pytest.raises(cbpii.InvalidRequestError) as refusal:
        cbpii.Iban("FR7717515900000800358074006")
    assert CLAIRE[4:] not in str(refusal.value)


def test_accounts() -> None:
    account = cbpii.Account(CLAIRE, currency="EUR", workspace="w1")
    assert (account.iban, account.currency, account.workspace) == (cbpii.Iban(CLAIRE), "EUR", "w1")
    assert (account.identification, account.scheme, account.issuer) == (None, None, None)
    card = cbpii.Account.other("4970100000000000", cbpii.AccountScheme.CPAN, issuer="Carte")
    assert (card.identification, card.scheme, card.issuer) == ("4970100000000000", "CPAN", "Carte")
    assert card.iban is None
    assert "4970" not in repr(card)
    assert cbpii.Account.other("1", "BANK") != card
    with pytest.raises(cbpii.InvalidRequestError, match=r"request\.account"):
        cbpii.Account.other("1", "IBAN")


def test_requests_say_what_they_ask() -> None:
    psu = cbpii.PsuContext(ip_address="192.0.2.1")
    request = check(payee="Librairie", psu=psu, request_id="id-1")
    assert (request.reference, request.payee, request.psu, request.request_id) == ("ORDER-1", "Librairie", psu, "id-1")
    assert request.account == cbpii.Account(CLAIRE)
    assert request.amount == cbpii.Amount("59.90", "EUR")
    assert CLAIRE not in repr(request)
    assert request == check(payee="Librairie", psu=psu, request_id="id-1") != check()


def test_an_amount_brings_its_currency() -> None:
    amount = cbpii.Amount("1", "EUR")
    request = cbpii.FundsRequest(reference="A", account=cbpii.Iban(CLAIRE), amount=amount)
    assert request.amount.currency == "EUR"
    wrong: dict[str, Any]
    for wrong in ({"amount": amount, "currency": "USD"}, {"amount": "1"}):
        with pytest.raises(cbpii.InvalidRequestError, match=r"request\.currency"):
            cbpii.FundsRequest(reference="A", account=CLAIRE, **wrong)


@pytest.mark.parametrize(
    "value",
    [
        cbpii.Iban(CLAIRE),
        cbpii.Currency("EUR"),
        cbpii.Amount("12.50", "EUR"),
        cbpii.Account(CLAIRE, currency="EUR"),
        cbpii.Account.other("4970100000000000", "CPAN", issuer="Carte", workspace="w"),
        check(psu=cbpii.PsuContext(device_id="d"), request_id="id-1"),
        cbpii.Bank.by_id("lydia", "production"),
        cbpii.FundsCheck("id", check(), context=3),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_pickle(value: object) -> None:
    assert pickle.loads(pickle.dumps(value)) == value


def test_naive_moments_are_refused() -> None:
    with pytest.raises(cbpii.InvalidRequestError, match="time zone") as refusal:
        some_tokens(obtained_at=datetime(2026, 1, 1))
    assert refusal.value.code == "request.argument"
    with pytest.raises(TypeError):
        some_tokens(obtained_at="2026-01-01")


def test_moments_are_utc_whatever_their_zone() -> None:
    paris = timezone(timedelta(hours=2))
    tokens = some_tokens(expires_at=datetime(2026, 7, 1, 14, 0, 0, 123000, paris))
    assert tokens.expires_at == datetime(2026, 7, 1, 12, 0, 0, 123000, timezone.utc)
    assert tokens.expires_at.tzinfo is timezone.utc
    assert tokens.is_expired(now=tokens.expires_at)
    assert not tokens.is_expired(now=tokens.expires_at - timedelta(milliseconds=1))
    assert tokens.consent_expires_at == FOREVER


@pytest.mark.parametrize("given", ["10", [10], True])
def test_a_duration_is_a_number_or_a_timedelta(given: Any) -> None:
    with pytest.raises(TypeError):
        bare_client().begin_consent(valid_for=given)


def test_durations_in_range() -> None:
    for bad in (0, -1, timedelta(seconds=-1), float("inf"), float("nan"), timedelta(hours=2)):
        with pytest.raises(cbpii.ConfigurationError, match=r"configuration\.option"):
            bare_client(timeout=bad)
    assert bare_client(timeout=timedelta(milliseconds=1), connect_timeout=1, max_idle_age=0)
