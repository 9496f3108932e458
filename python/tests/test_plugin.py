"""The fixtures that come with the package, as an issuer uses them."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import cbpii
import pytest
from cbpii.testing import PERSONAS, Sandbox, SandboxMissingError
from support import check

pytest_plugins = ["pytester"]

OWN_TESTS = """
import cbpii
from cbpii.testing import PERSONAS

def test_a_payment(cbpii_sandbox):
    client = cbpii_sandbox.client()
    pending = client.begin_consent()
    tokens = client.complete_consent(pending, cbpii_sandbox.approve(pending.url, "LEA"))
    request = cbpii.FundsRequest(reference="1", account=PERSONAS["LEA"], amount=10, currency="EUR")
    assert client.confirm_funds(tokens, request).available
    cbpii_sandbox.fault("funds", "answer_lost", times=None)

def test_the_next_one_starts_afresh(cbpii_sandbox, cbpii_sandbox_session):
    assert cbpii_sandbox is cbpii_sandbox_session
    assert cbpii_sandbox.requests() == []
    assert cbpii_sandbox.control("GET", "/faults") == []
"""


def test_an_issuer_tests_its_own_code(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(OWN_TESTS)
    pytester.runpytest_subprocess("-p", "no:randomly", "-W", "error").assert_outcomes(passed=2)


def test_the_fixtures_say_what_they_are(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_subprocess("--fixtures")
    result.stdout.fnmatch_lines(["cbpii_sandbox -- *", "    A sandbox bank (*"])
    result.stdout.fnmatch_lines(["cbpii_sandbox_session * -- *"])


@pytest.mark.parametrize(
    ("named", "text"), [("/nowhere/bank", "*'/nowhere/bank', where CBPII_SANDBOX says*"), ("", "*not on the PATH*")]
)
def test_without_the_program_it_is_an_error_and_no_skip(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, named: str, text: str
) -> None:
    monkeypatch.setenv("CBPII_SANDBOX", named)
    monkeypatch.setenv("PATH", str(pytester.path))
    pytester.makepyfile("def test_it(cbpii_sandbox): pass")
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([text])
    with pytest.raises(SandboxMissingError, match="cargo build -p cbpii-sandbox"):
        Sandbox()


def test_what_a_test_does_to_the_bank(sandbox: Sandbox) -> None:
    client, tokens = sandbox.client(retries=0), sandbox.tokens()
    sandbox.fault("funds", "answer", times=None, status=503, headers=[], content_type=None, body="")
    with pytest.raises(cbpii.BankUnavailableError):
        client.confirm_funds(tokens, check())
    sandbox.clear_faults()
    assert sandbox.settings(date_tolerance_seconds=None)["date_tolerance_seconds"] is None
    sandbox.advance_clock(timedelta(days=181))
    with pytest.raises(cbpii.ConsentRequiredError):
        client.refresh(tokens)
    sandbox.reset()
    assert sandbox.settings()["date_tolerance_seconds"] == 300
    tokens = sandbox.tokens()
    sandbox.expire_tokens()
    tokens = client.refresh(tokens)
    assert client.confirm_funds(tokens, check()).available
    sandbox.revoke_consents("LEA")
    assert client.confirm_funds(tokens, check()).available
    sandbox.revoke_consents()
    with pytest.raises(cbpii.ConsentRequiredError):
        client.refresh(tokens)
    assert len(sandbox.requests(wait_for=4)) == 4


def test_a_bank_of_another_kind(tmp_path: Path) -> None:
    with Sandbox("--rotation", "rotated", "--redirect-uri", "https://shop.example/back") as sandbox:
        assert sandbox.issuer["redirect_uri"] == "https://shop.example/back"
        assert sandbox.endpoints["origin"] in repr(sandbox)
        old = sandbox.tokens()
        assert sandbox.client().refresh(old).refresh_token != old.refresh_token
    assert not Path(sandbox.issuer["folder"]).exists()
    with pytest.raises(RuntimeError, match="ended before it was ready"):
        Sandbox("--log", str(tmp_path / "missing" / "log"), "--no-such-option")


def test_the_plugin_loads_nothing_until_it_is_used() -> None:
    code = "import cbpii.pytest_plugin, sys; sys.exit('cbpii.testing' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_personas_are_the_banks(sandbox: Sandbox) -> None:
    assert {one["id"]: one["iban"] for one in sandbox.control("GET", "/personas")} == PERSONAS
