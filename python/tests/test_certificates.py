"""Identities in their many forms, and what there is to say about certificates."""

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

import cbpii
import pytest
from support import Sandbox, check


def test_a_report(sandbox: Sandbox) -> None:
    chain = Path(sandbox.issuer["qwac"]["chain"])
    report = cbpii.CertificateReport.inspect(
        chain, use="transport", key=Path(sandbox.issuer["qwac"]["key"]), client_id="PSDFR-ACPR-12345"
    )
    assert (
        report == cbpii.CertificateReport.inspect(chain.read_text()) == cbpii.CertificateReport.inspect(chain.read_bytes())
    )
    assert report.findings == ()
    assert report.psd2_roles == (cbpii.Psd2Role.CARD_ISSUING,)
    assert report.qc_types == (cbpii.QcType.WEB,)
    assert report.psd2_identifier is not None
    assert (report.psd2_identifier.country, report.psd2_identifier.number) == ("FR", "12345")
    assert str(report.psd2_identifier) == report.organisation_identifier
    assert report.not_before < datetime.now(timezone.utc) < report.not_after
    assert "2.5.4.97=PSDFR-ACPR-12345" in report.subject.rfc2253
    assert json.loads(report.to_json())["x5t#S256"] == report.x5t_s256


def test_findings(sandbox: Sandbox) -> None:
    variants, own = sandbox.issuer["variants"], sandbox.issuer["qwac"]

    def found(name: str, **options: object) -> dict[str, cbpii.Severity]:
        report = cbpii.CertificateReport.inspect(Path(variants[name]["chain"]), **options)  # type: ignore[arg-type]
        return {finding.code: finding.severity for finding in report.findings}

    assert found("no-role")["not_a_cbpii"] is cbpii.Severity.ERROR
    assert found("expires-soon")["expires_soon"] is cbpii.Severity.WARNING
    assert found("rsassa-pss")["certificate_pss"] is cbpii.Severity.ERROR
    assert found("rsassa-pss", accept_pss=True)["certificate_pss"] is not cbpii.Severity.ERROR
    assert found("no-role", key=Path(sandbox.issuer["qsealc"]["key"]))["key_mismatch"] is cbpii.Severity.ERROR
    assert "certificate_wrong_use" in found("eseal-as-qwac", use=cbpii.CertificateUse.TRANSPORT)
    later = datetime.now(timezone.utc) + timedelta(days=36500)
    report = cbpii.CertificateReport.inspect(Path(own["chain"]), now=later)
    assert report.days_left < 0
    assert [finding.code for finding in report.findings] == ["certificate_expired"]
    assert "expired" in report.findings[0].sentence
    with pytest.raises(cbpii.ConfigurationError, match=r"configuration\.option"):
        found("no-role", use="decoration")


def test_an_issuers_check(sandbox: Sandbox) -> None:
    issuer = sandbox.own_issuer(transport=sandbox.transport("expired"))
    codes = {finding.code for finding in issuer.check(sandbox.bank())}
    assert "certificate_expired" in codes
    assert sandbox.own_issuer().check(sandbox.bank()) == []
    assert sandbox.own_issuer().check(sandbox.bank(), now=datetime(1999, 1, 1, tzinfo=timezone.utc))
    with pytest.raises(TypeError):
        issuer.check("bpce-17515")  # type: ignore[arg-type]
    with pytest.raises(cbpii.EligibilityError):
        cbpii.Client(sandbox.bank(), issuer)
    assert cbpii.Client(sandbox.bank(), issuer, check_eligibility=False)


@pytest.mark.parametrize("form", ["pkcs8_der", "pkcs1_pem", "pkcs1_der", "encrypted_pkcs8_pem"])
def test_keys_in_every_form(sandbox: Sandbox, form: str) -> None:
    forms, chain = sandbox.issuer["qwac_forms"], Path(sandbox.issuer["qwac"]["chain"])
    password = sandbox.issuer["key_password"] if "encrypted" in form else None
    path = Path(forms[form])
    by_path = cbpii.TransportIdentity(chain, path, password=password)
    in_memory = cbpii.TransportIdentity(bytearray(chain.read_bytes()), path.read_bytes(), password=password)  # type: ignore[arg-type]
    assert by_path.subject == in_memory.subject
    assert "PSDFR-ACPR-12345" in by_path.subject


@pytest.mark.parametrize("form", ["pkcs12", "pkcs12_3des"])
def test_keystores(sandbox: Sandbox, form: str) -> None:
    forms = {name: path for name, path in sandbox.issuer["qwac_forms"].items() if "12" in name}
    path = Path(forms.get(form) or next(path for name, path in forms.items() if name != "pkcs12"))
    password = cbpii.Secret(sandbox.issuer["key_password"])
    transport = cbpii.TransportIdentity.from_pkcs12(path, password=password)
    assert transport.subject == cbpii.TransportIdentity.from_pkcs12(path.read_bytes(), password=password).subject
    client = cbpii.Client(sandbox.bank(), sandbox.own_issuer(transport=transport))
    assert client.confirm_funds(sandbox.tokens(), check()).available
    with pytest.raises(cbpii.ConfigurationError, match=r"configuration\.key_password"):
        cbpii.SealIdentity.from_pkcs12(path, password="wrong")


def test_a_str_is_never_a_path(sandbox: Sandbox) -> None:
    chain = sandbox.issuer["qwac"]["chain"]
    with pytest.raises(cbpii.ConfigurationError, match=r"pathlib\.Path") as refusal:
        cbpii.TransportIdentity(chain, sandbox.issuer["qwac"]["key"])
    assert refusal.value.code == "configuration.certificate_unreadable"
    with pytest.raises(cbpii.ConfigurationError, match="cannot be read"):
        cbpii.TransportIdentity(Path(chain + ".missing"), Path(chain))
    with pytest.raises(TypeError):
        cbpii.TransportIdentity(3, 4)  # type: ignore[arg-type]


def test_a_key_id_that_is_stated(sandbox: Sandbox) -> None:
    seal = sandbox.seal(key_id="https://issuer.example/seal")
    assert seal.key_id == "https://issuer.example/seal"
    explanation = cbpii.Client(sandbox.bank(), sandbox.own_issuer(seal=seal)).explain(check())
    assert (explanation.key_id, explanation.key_id_source) == ("https://issuer.example/seal", "seal")
