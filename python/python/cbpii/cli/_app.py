"""The commands together."""

from typing import Annotated

import typer

from .._cbpii import __version__
from . import _banks, _certificate, _check, _check_file, _consents
from ._options import WITH_IBAN

EPILOG = (
    "Exit codes: 0 yes, or done · 1 no, nothing found, or a certificate that banks will refuse · 2 usage or configuration · "
    "3 a consent is refused, over or to be renewed · 4 no answer (network, TLS, time-out, bank unavailable) · "
    "5 the bank refused · 6 the consent store · 7 a file of which some rows have no answer · "
    "8 a certificate with warnings · 70 a defect · 130 interrupted"
)

app = typer.Typer(
    help='Ask a bank "are the funds there?": PSD2 funds confirmation for card issuers (CBPII).',
    epilog=EPILOG,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("banks")(_banks.banks)
app.command("certificate")(_certificate.certificate)
app.add_typer(_consents.app, name="consent")
app.command("consents")(_consents.consents)
app.command("check", context_settings=WITH_IBAN)(_check.check)
app.command("check-file")(_check_file.check_file)
app.command("explain", context_settings=WITH_IBAN)(_check.explain)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"cbpii {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    _: Annotated[
        bool, typer.Option("--version", help="Show the version and end.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Options of the command itself."""
