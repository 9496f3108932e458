"""``cbpii banks``, and what all commands have in common."""

import os
import subprocess
import sys

import cbpii
import pytest
from command import CLAIRE, cbpii_command


def test_all_banks() -> None:
    done = cbpii_command("banks")
    assert done.code == 0
    assert "bpce-17515" in done.out
    assert "lydia" in done.out
    assert "45 banks; ? is not confirmed" in done.out
    assert len(cbpii_command("banks", "--json").json) == 45


def test_the_bank_you_mean() -> None:
    several = cbpii_command("banks", "banque", "populaire")
    assert "bpce-13807" in several.out
    assert "bpce-17515" not in several.out
    one = cbpii_command("banks", "ile de france")
    assert "Caisse d'Epargne Ile-de-France" in one.out
    assert "https://" in one.out
    assert [bank["id"] for bank in cbpii_command("banks", "17515", "-e", "sandbox", "--json").json] == ["bpce-17515"]


def test_the_bank_of_an_iban_with_or_without_blanks() -> None:
    for words in ([CLAIRE], ["FR76", "1751", "5900", "0008", "0035", "8074", "006"]):
        done = cbpii_command("banks", *words)
        assert "bpce-17515" in done.out
        assert CLAIRE not in done.out


def test_nothing_found() -> None:
    done = cbpii_command("banks", "zzz")
    assert (done.code, done.out) == (1, "")
    assert "No bank of the directory matches" in done.err
    assert cbpii_command("banks", "zzz", "--json").json == []


def test_an_iban_that_is_mistyped_is_an_error_and_masked() -> None:
    done = cbpii_command("banks", CLAIRE[:-1] + "7")
    assert done.code == 2
    assert "FR76…4007" in done.err
    assert CLAIRE[4:20] not in done.out + done.err
    assert cbpii_command("banks", "DE89370400440532013000", "--json").json["error"]["code"] == "configuration.bank_unknown"


@pytest.mark.parametrize("columns", ["40", "100"])
def test_narrow_and_wide_terminals(monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    lines = cbpii_command("banks").out.splitlines()
    assert max(map(len, lines)) <= int(columns)
    assert ("standard" in lines[0]) is (columns == "100")


def test_what_goes_to_a_file_is_not_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    assert len(cbpii_command("banks").out.splitlines()) == 45 + 2


def test_colours_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b[" not in cbpii_command("banks").out
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" in cbpii_command("banks").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[3" not in cbpii_command("banks").out


def test_help_and_version() -> None:
    assert cbpii_command("--version").out == f"cbpii {cbpii.__version__}\n"
    done = cbpii_command("--help")
    assert "Exit codes: 0 yes" in done.out
    for command in ("banks", "certificate", "check", "check-file", "consents", "explain"):
        assert command in done.out
        assert cbpii_command(command, "-h").code == 0
    assert cbpii_command("consent", "start", "--help").code == 0
    assert cbpii_command("no-such-command").code == 2


def run_module(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )


def test_it_runs_as_a_module() -> None:
    assert run_module("-m", "cbpii", "--version").stdout == f"cbpii {cbpii.__version__}\n"


@pytest.mark.parametrize("module", ["typer", "rich", "pydantic", "platformdirs"])
def test_without_the_extra_it_says_what_to_install(module: str) -> None:
    code = f"import sys; sys.modules['{module}'] = None; from cbpii.cli import main; main()"
    done = run_module("-c", code)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert f"needs the module {module}" in done.stderr
    assert "pip install 'cbpii[cli]'" in done.stderr


def test_the_shell_completes_banks() -> None:
    done = run_module(
        "-m", "cbpii", _CBPII_COMPLETE="complete_bash", COMP_WORDS="cbpii check --bank bpce-175", COMP_CWORD="3"
    )
    assert done.stdout.split() == ["bpce-17515"]
    assert "complete_bash" in run_module("-m", "cbpii", _CBPII_COMPLETE="source_bash").stdout
