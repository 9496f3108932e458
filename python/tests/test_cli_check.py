"""``cbpii check`` and ``cbpii explain``."""

from datetime import datetime
from pathlib import Path

import pytest
from command import CLAIRE, LEA, cbpii_command, pool_of
from support import Sandbox


@pytest.fixture
def claire(sandbox: Sandbox, configured: Path) -> Path:
    """A working directory in which CLAIRE's consent is kept."""
    pool_of(sandbox, configured).keep("claire", sandbox.tokens())
    return configured


@pytest.mark.usefixtures("claire")
def test_yes_and_no() -> None:
    yes = cbpii_command("check", "claire", "458.99", "--iban", CLAIRE, "--reference", "ORDER-1", "--payee", "Librairie")
    assert (yes.code, yes.err) == (0, "")
    assert yes.out.startswith("✓ Yes: the account FR76…4006 covers 458.99 EUR.")
    assert "ORDER-1" in yes.out
    no = cbpii_command("check", "claire", "459", "--iban", CLAIRE)
    assert no.code == 1
    assert no.out.startswith("✗ No: the account FR76…4006 does not cover 459 EUR.")


@pytest.mark.usefixtures("claire")
def test_for_machines() -> None:
    done = cbpii_command("check", "claire", "1", "--iban", "-", "--json", "--timeout", "5", typed=CLAIRE + "\n")
    assert done.code == 0
    facts = done.json
    assert (facts["available"], facts["bank_id"]) == (True, "bpce-17515")
    assert facts["reference"].startswith("CHECK-20")
    assert datetime.fromisoformat(facts["checked_at"]).tzinfo is not None
    assert facts["duration_seconds"] > 0


@pytest.mark.usefixtures("claire")
def test_the_iban_may_have_blanks_and_is_never_shown() -> None:
    groups = ["FR76", "1751", "5900", "0008", "0035", "8074", "006"]
    assert cbpii_command("check", "claire", "1", "--iban", *groups).code == 0
    wrong = cbpii_command("check", "claire", "1", "--iban", *groups[:-1], "007")
    assert wrong.code == 2
    for group in groups[1:-1]:
        assert group not in wrong.out + wrong.err.replace("4007", "")


def test_a_consent_at_another_bank_than_the_usual(sandbox: Sandbox, claire: Path) -> None:
    pool_of(sandbox, claire, "bpce-13807").keep("lea", sandbox.tokens("LEA"))
    for arguments in ([], ["--bank", "bpce-13807"]):
        assert cbpii_command("check", "lea", "1", "--iban", LEA, "--json", *arguments).json["bank_id"] == "bpce-13807"
    assert cbpii_command("check", "lea", "1", "--iban", LEA, "--bank", "bpce-17515").code == 6
    (claire / "cbpii.toml").write_text((claire / "cbpii.toml").read_text().replace('bank = "bpce-17515"', ""))
    assert cbpii_command("check", "lea", "1", "--iban", LEA).code == 0
    assert cbpii_command("check", "nobody", "1", "--iban", LEA).code == 3


@pytest.mark.usefixtures("claire")
@pytest.mark.parametrize(
    ("persona", "code", "texts"),
    [
        ("UMA", 5, ["AC01", "request id", "bank.account_unknown"]),
        ("ALICE", 3, ["AC04", "consent start", "bank.account_closed"]),
        ("THEO", 4, ["bank.rate_limited", "wait"]),
        ("INES", 4, ["bank."]),
        ("NINA", 3, []),
    ],
)
def test_what_the_bank_refuses(sandbox: Sandbox, claire: Path, persona: str, code: int, texts: list[str]) -> None:
    pool_of(sandbox, claire).keep("one", sandbox.tokens(persona))
    iban = next(one["iban"] for one in sandbox.control("GET", "/personas") if one["id"] == persona)
    done = cbpii_command("check", "one", "1", "--iban", iban)
    assert (done.code, done.out) == (code, "")
    for text in ["✗", "what to do", "error code", *texts]:
        assert text in done.err
    assert iban not in done.err
    machine = cbpii_command("check", "one", "1", "--iban", iban, "--json")
    assert (machine.code, machine.err) == (code, "")
    assert machine.json["error"]["code"] in done.err


@pytest.mark.usefixtures("claire")
def test_no_answer_is_not_a_no(sandbox: Sandbox) -> None:
    sandbox.fault("funds", "stall", times=None)
    done = cbpii_command("check", "claire", "1", "--iban", CLAIRE, "--timeout", "0.2")
    assert done.code == 4
    assert "timeout" in done.err


@pytest.mark.usefixtures("claire")
@pytest.mark.parametrize(
    "arguments", [["claire", "1"], ["claire", "x", "--iban", CLAIRE], ["claire", "-1", "--iban", CLAIRE]]
)
def test_what_cannot_be_asked(sandbox: Sandbox, arguments: list[str]) -> None:
    assert cbpii_command("check", *arguments).code == 2
    assert sandbox.requests() == []


@pytest.mark.usefixtures("configured")
def test_explain(sandbox: Sandbox) -> None:
    done = cbpii_command("explain", "12.50", "--iban", CLAIRE, "-r", "ORDER-1")
    assert done.code == 0
    assert done.out.startswith("POST https://localhost:")
    assert "(request-target): post" in done.out
    assert CLAIRE not in done.out
    facts = cbpii_command("explain", "12.50", "--iban", CLAIRE, "--json").json
    assert facts["key_id"] == sandbox.issuer["client_id"]
    assert "_text" not in facts
    assert sandbox.requests() == []
