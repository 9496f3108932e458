"""Banks as data."""

import json

import cbpii
import pytest
from support import CLAIRE


@pytest.mark.parametrize("environment", cbpii.Environment)
def test_the_directory_reads_back(environment: cbpii.Environment) -> None:
    banks = cbpii.Bank.directory(environment)
    assert banks
    for bank in banks:
        assert cbpii.Bank.from_json(bank.to_json()) == bank if bank.funds_url else bank.id
        assert bank.environment is environment
    assert len(set(banks)) == len(banks)


def test_finding_a_bank() -> None:
    assert cbpii.Bank.bpce("17515", "sandbox").id == "bpce-17515"
    assert [bank.id for bank in cbpii.Bank.from_iban(CLAIRE, "production")] == ["bpce-17515"]
    assert cbpii.Bank.find("épargne ILE", cbpii.Environment.SANDBOX)[0].id == "bpce-17515"
    assert len(cbpii.Bank.by_code("13807", "sandbox")) == 2
    assert cbpii.Bank.by_code("99999", "sandbox") == []
    with pytest.raises(cbpii.ConfigurationError, match=r"bank_unknown"):
        cbpii.Bank.by_id("nobody", "sandbox")
    with pytest.raises(cbpii.ConfigurationError, match=r"configuration\.option"):
        cbpii.Bank.directory("moon")


def test_a_record_changes_only_into_a_valid_one() -> None:
    bank = cbpii.Bank.bpce("17515", "sandbox")
    changed = bank.replace(consent_lifetime_days=90, extra_headers={"x-a": "b"}, echo=cbpii.EchoRule.NONE)
    assert (changed.consent_lifetime_days, changed.extra_headers, changed.echo) == (90, {"x-a": "b"}, "none")
    assert changed.replace(extra_headers={}, consent_lifetime_days=180, echo=bank.echo) == bank
    with pytest.raises(cbpii.ConfigurationError, match="consent_lifetime_days"):
        bank.replace(consent_lifetime_days=0)
    moved = bank.with_origin("https://localhost:8443")
    assert moved.token_url is not None
    assert moved.token_url.startswith("https://localhost:8443/")
    assert json.loads(moved.to_json())["standard"] == "stet-1.4.2"


def test_a_record_of_ones_own() -> None:
    bank = cbpii.Bank.from_json(b'{"base": "bpce-17515", "environment": "production", "pkce": true}')
    assert bank.pkce
    assert bank.signature is not None
    assert bank.signature.algorithm is cbpii.SealAlgorithm.RSA_PKCS1_SHA256
    with pytest.raises(cbpii.ConfigurationError, match="colour"):
        cbpii.Bank.from_json('{"base": "bpce-17515", "environment": "sandbox", "colour": "red"}')
