"""``cbpii certificate``."""

from pathlib import Path

import pytest
from command import cbpii_command
from support import Sandbox


def test_a_good_certificate(sandbox: Sandbox) -> None:
    files = sandbox.issuer["qwac"]
    done = cbpii_command("certificate", files["chain"], "--use", "transport", "--key", files["key"])
    assert done.code == 0
    for text in ("PSDFR-ACPR-12345", "PSP_IC", "RSA, 2048 bits", "2 certificates", "x5t#S256", "web, qualified"):
        assert text in done.out
    report = cbpii_command("certificate", files["chain"], "--json").json
    assert report["psd2_roles"] == ["PSP_IC"]


@pytest.mark.parametrize(
    ("variant", "code", "finding"),
    [
        ("expired", 1, "expired"),
        ("no-role", 1, "not_a_cbpii"),
        ("expires-soon", 8, "expires_soon"),
        ("several-roles", 0, ""),
    ],
)
def test_the_exit_code_is_the_gravest_finding(sandbox: Sandbox, variant: str, code: int, finding: str) -> None:
    path = sandbox.issuer["variants"][variant]["chain"]
    done = cbpii_command("certificate", path)
    assert done.code == code
    assert finding in done.out
    assert cbpii_command("certificate", path, "--json").code == code


def test_what_can_be_checked_besides(sandbox: Sandbox) -> None:
    qwac, qsealc = sandbox.issuer["qwac"]["chain"], sandbox.issuer["qsealc"]
    assert cbpii_command("certificate", qwac, "--use", "seal").code == 1
    assert "key_mismatch" in cbpii_command("certificate", qwac, "--key", qsealc["key"]).out
    assert "PSDFR-ACPR-99" in cbpii_command("certificate", qwac, "--client-id", "PSDFR-ACPR-99999").out


def test_a_key_with_a_password(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    forms = sandbox.issuer["qwac_forms"]
    encrypted = next(path for name, path in forms.items() if "encrypted" in name)
    chain = sandbox.issuer["qwac"]["chain"]
    assert cbpii_command("certificate", chain, "--key", encrypted).code == 2
    assert "KEY_PASSWORD" in cbpii_command("certificate", chain, "--key", encrypted, "--password-env", "KEY_PASSWORD").err
    monkeypatch.setenv("KEY_PASSWORD", sandbox.issuer["key_password"])
    assert cbpii_command("certificate", chain, "--key", encrypted, "--password-env", "KEY_PASSWORD").code == 0


def test_what_is_no_certificate(tmp_path: Path) -> None:
    path = tmp_path / "note.txt"
    path.write_text("hello")
    for file in (path, tmp_path / "missing.pem"):
        done = cbpii_command("certificate", file)
        assert done.code == 2
        assert "configuration.certificate_unreadable" in done.err
