"""``cbpii certificate``."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from .._certificate import CertificateReport
from ..enums import CertificateUse, Severity
from ._config import of_environment
from ._options import AsJson
from ._output import ExitCode, Output, counted, shown

_SIGNS = {
    Severity.ERROR: ("✗ ", "bold red"),
    Severity.WARNING: ("! ", "bold yellow"),
    Severity.INFORMATION: ("i ", "blue"),
}

File = Annotated[
    Path, typer.Argument(metavar="FILE", help="The certificate: PEM with its chain, or DER.", show_default=False)
]
Use = Annotated[
    CertificateUse | None,
    typer.Option("--use", help="Check that it was issued for this: transport (QWAC) or seal (QSealC).", show_default=False),
]
Key = Annotated[Path | None, typer.Option("--key", help="Check that this key belongs to it.", show_default=False)]
PasswordEnv = Annotated[
    str | None,
    typer.Option("--password-env", help="The environment variable with the key's password.", show_default=False),
]
ClientId = Annotated[
    str | None,
    typer.Option("--client-id", help="Check that it matches this client_id.", show_default=False),
]


def certificate(
    file: File,
    use: Use = None,
    key: Key = None,
    password_env: PasswordEnv = None,
    client_id: ClientId = None,
    as_json: AsJson = False,
) -> None:
    """Say what a bank will see in a QWAC or QSealC, and what is wrong with it."""
    output = Output(as_json)
    with output.failures():
        password = None if password_env is None else of_environment(password_env, "the key's password")
        report = CertificateReport.inspect(file, use=use, key=key, password=password, client_id=client_id)
    if as_json:
        output.json(json.loads(report.to_json()))
    else:
        _show(output, report)
    gravest = report.findings[0].severity if report.findings else Severity.INFORMATION
    exit_codes = {Severity.ERROR: ExitCode.NO, Severity.WARNING: ExitCode.WARNINGS}
    raise typer.Exit(exit_codes.get(gravest, ExitCode.OK))


def _show(output: Output, report: CertificateReport) -> None:
    output.line(report.subject.rfc4514, "bold")
    output.facts(
        {
            "issued by": report.issuer.rfc4514,
            "provider": report.psd2_identifier,
            "PSD2 roles": ", ".join(role.value for role in report.psd2_roles) or "none",
            "authority": report.authority_name,
            "issued for": _purpose(report),
            "valid": f"{shown(report.not_before)} to {shown(report.not_after)}",
            "days left": Text(str(report.days_left), _days_style(report.days_left)),
            "key": report.key_type if report.key_bits is None else f"{report.key_type}, {report.key_bits} bits",
            "signed with": report.signature_algorithm,
            "chain": counted(report.chain_length, "certificate"),
            "serial": f"{report.serial_hex} (decimal {report.serial_decimal})",
            "SHA-256": report.sha256_fingerprint,
            "x5t#S256": report.x5t_s256,
            "SHA-1": report.sha1_fingerprint,
            "subject, RFC 2253": report.subject.rfc2253,
            "subject, OpenSSL": report.subject.openssl,
            "other names": ", ".join(report.alternative_names) or None,
        }
    )
    if not report.findings:
        output.line("✓ Nothing is wrong with it.", "green")
    for finding in report.findings:
        sign, style = _SIGNS[finding.severity]
        output.console.print(Text.assemble((sign, style), finding.sentence, (f" [{finding.code}]", "dim")))


def _purpose(report: CertificateReport) -> str:
    types = ", ".join(kind.value for kind in report.qc_types) or "not stated"
    return f"{types}{', qualified' if report.qualified else ''}"


def _days_style(days: int) -> str:
    return "bold red" if days < 0 else "yellow" if days <= 30 else "green"
