"""The README: its code runs, its commands run, its tables are complete."""

import asyncio
import inspect
import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cbpii
import httpx
import pytest
from cbpii.cli._config import Config
from cbpii.cli._output import ExitCode
from cbpii.testing import PERSONAS, Sandbox
from command import cbpii_command, of_sandbox
from hsm import MODULE, PIN, softhsm

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

pytest_plugins = ["pytester"]

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
REDIRECT_URI = "https://issuer.example/callback"


def blocks(language: str) -> list[str]:
    """The README's code of one language, in its order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def block(start: str) -> str:
    """The block of Python that holds these words."""
    (found,) = [code for code in blocks("python") if start in code]
    return found


@pytest.fixture(scope="module")
def bank() -> Iterator[Sandbox]:
    """A bank that knows the README's issuer."""
    with Sandbox("--redirect-uri", REDIRECT_URI, "--organisation-id", "PSDFR-ACPR-12345") as sandbox:
        yield sandbox


@pytest.fixture
def reader(
    bank: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> dict[str, Any]:
    """What a reader has who followed the README's first two blocks: the names they made."""
    bank.reset()
    monkeypatch.chdir(tmp_path)
    for name in ("qwac", "qsealc"):
        shutil.copy(bank.issuer[name]["chain"], f"{name}.pem")
        shutil.copy(bank.issuer[name]["key"], f"{name}.key")
    Path("transactions.csv").write_text(
        "consent,iban,amount,currency,reference\n"
        f"customer-42,{PERSONAS['CLAIRE']},59.90,EUR,R-1\n"
        f"customer-42,{PERSONAS['CLAIRE']},459,EUR,R-2\n"
    )
    record = bank.bank()
    monkeypatch.setattr(cbpii.Bank, "bpce", lambda code, environment: record)

    def browser(prompt: str) -> str:
        return bank.approve(capsys.readouterr().out.split()[-1])

    monkeypatch.setattr("builtins.input", browser)
    names: dict[str, Any] = {}
    for code in blocks("python")[:2]:
        exec(code, names)
    return names


def run(words: str, names: dict[str, Any]) -> None:
    """Runs a block that goes on with what the ones before it made."""
    exec(block(words), names)


def test_every_block_of_python_is_run_here() -> None:
    tested = set(re.findall(r"(?:run|block)\(\n? *\"(.*?)\"[,)]", Path(__file__).read_text(encoding="utf-8")))
    for code in blocks("python")[2:]:
        assert any(words in code for words in tested), code


def test_the_first_check_and_a_session(reader: dict[str, Any]) -> None:
    assert reader["session"].confirm_funds(reader["request"]).available
    first = blocks("python")[0]
    assert len([line for line in first.splitlines() if line and not line.startswith(("#", "import", "from"))]) <= 15


def test_the_notebook(reader: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    run("import pandas as pd", reader)
    assert reader["answered"]["available"].tolist() == [True, False]


def test_the_nightly_script(reader: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    run("def checks():", reader)
    shown = capsys.readouterr().out
    assert "R-1 True None" in shown
    assert "R-2 False None" in shown
    assert "done=2" in shown


def test_fastapi(reader: dict[str, Any], bank: Sandbox) -> None:
    run("from fastapi import", reader)
    app = reader["app"]

    async def journey() -> None:
        transport, headers = httpx.ASGITransport(app), {"x-customer": "customer-77"}
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="https://issuer.example", headers=headers) as web,
        ):
            payment = {"iban": PERSONAS["CLAIRE"], "amount": "59.90"}
            assert (await web.post("/payments/P-1", params=payment)).json()["advice"] == "renew_consent"
            for auto, kept in [("refuse", "refused"), ("approve", "kept")]:
                begun = await web.get("/consent")
                assert begun.status_code == 303
                back = await asyncio.to_thread(bank.approve, begun.headers["location"], auto=auto)
                assert (await web.get(back)).json() == {"consent": kept}
            assert (await web.post("/payments/P-1", params=payment)).json() == {"available": True}

    asyncio.run(journey())


def test_django(reader: dict[str, Any], bank: Sandbox) -> None:
    import json

    from django.conf import settings
    from django.test import RequestFactory

    if not settings.configured:
        settings.configure(ALLOWED_HOSTS=["*"], DEFAULT_CHARSET="utf-8")
    run("from django.http import", reader)
    session: dict[str, str] = {}

    class User:
        pk = 78

    def answer(view: str, request: Any, *arguments: str) -> Any:
        request.session, request.user = session, User()
        return reader[view](request, *arguments)

    make = RequestFactory()
    payment = {"iban": PERSONAS["CLAIRE"], "amount": "459"}
    refused = answer("payment_view", make.post("/payments/P-1", payment), "P-1")
    assert json.loads(refused.content)["advice"] == "renew_consent"
    for auto, kept in [("refuse", "refused"), ("approve", "kept")]:
        url = answer("begin_view", make.get("/consent")).url
        back = bank.approve(url, auto=auto)
        assert json.loads(answer("callback_view", make.get(back)).content) == {"consent": kept}
    assert json.loads(answer("payment_view", make.post("/payments/P-1", payment), "P-1").content) == {"available": False}


def test_an_issuers_own_tests(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_payments=block("# test_payments.py"))
    pytester.runpytest_subprocess("-W", "error").assert_outcomes(passed=2)


def test_keys_in_an_hsm(
    reader: dict[str, Any],
    bank: Sandbox,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with softhsm(tmp_path, {name: bank.issuer[name]["key"] for name in ("qwac", "qsealc")}):
        monkeypatch.setenv("PKCS11_MODULE", MODULE)
        monkeypatch.setenv("HSM_PIN", PIN)
        run("import pkcs11", reader)
        reader["hsm"].close()
    assert capsys.readouterr().out.endswith("\nTrue\n")


def test_the_configuration_is_whole_and_works(reader: dict[str, Any], bank: Sandbox) -> None:
    (text,) = blocks("toml")
    Config.model_validate(tomllib.loads(text))
    everything = re.sub(r"^# (\w+ = )", r"\1", text, flags=re.MULTILINE)
    whole = Config.model_validate(tomllib.loads(everything))
    assert whole.banks["lydia"].record == Path("my-bank.json")
    for section in (whole, whole.issuer, whole.store, whole.options, whole.banks["lydia"]):
        assert section is not None
        assert section.model_fields_set == set(type(section).model_fields)


def test_the_commands_run(reader: dict[str, Any], bank: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CBPII_CONFIG", raising=False)
    (text,) = blocks("toml")
    sandbox = "\n".join(["[banks.bpce-17515]", *of_sandbox(bank)])
    Path("cbpii.toml").write_text(text.replace("# pending_folder", "pending_folder") + sandbox)
    callback = ""
    for line in [line for code in blocks("sh") for line in code.splitlines() if line.startswith("cbpii")]:
        arguments = shlex.split(line, comments=True)[1:]
        if arguments[0] == "check-file":
            Path("answered.csv").unlink(missing_ok=True)
        done = cbpii_command(*arguments, typed=f"{callback}\n")
        assert done.code == 0, (line, done)
        if arguments[:2] == ["consent", "start"]:
            url = next(line for line in done.out.splitlines() if line.startswith("https://"))
            callback = bank.approve(url, "LEA")
    assert ",true,," in Path("answered.csv").read_text()


def test_the_tables_are_complete() -> None:
    classes = [one for one in vars(cbpii).values() if inspect.isclass(one) and issubclass(one, cbpii.CbpiiError)]
    rows = dict(re.findall(r"^\| `(\w+Error)` \|.*\| (?:`(\w+)` )?\|$", README, re.MULTILINE))
    assert rows.keys() == {one.__name__ for one in classes} - {"CbpiiError"}
    for one in classes:
        for mixin in (ValueError, TimeoutError, ConnectionError):
            assert issubclass(one, mixin) is (rows.get(one.__name__) == mixin.__name__)
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", README, re.MULTILINE)} == set(map(int, ExitCode))
    assert all(f"`{advice}`" in README for advice in cbpii.Advice)
