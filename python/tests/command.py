"""The command, as the tests give it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cbpii
from cbpii.cli._app import app
from cbpii.testing import PERSONAS, Sandbox
from typer.testing import CliRunner

CLAIRE = PERSONAS["CLAIRE"]
LEA = PERSONAS["LEA"]
STORE_KEY = bytes(range(32))


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def cbpii_command(*arguments: str | Path, typed: str | None = None) -> Done:
    """Runs the command in this process."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], input=typed)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Done(result.exit_code, result.stdout, result.stderr)


def configuration(sandbox: Sandbox, **top: Any) -> str:
    """A configuration for the sandbox bank; ``top`` are further members of its top level."""
    files = sandbox.issuer
    members = {"environment": "sandbox", "bank": "bpce-17515", "pending_folder": "pending", **top}
    lines = [f"{name} = {json.dumps(value)}" for name, value in members.items() if value is not None]
    return "\n".join(
        [
            *lines,
            "[issuer]",
            f'client_id = "{files["client_id"]}"',
            f'redirect_uri = "{files["redirect_uri"]}"',
            f'transport = {{ certificate = "{files["qwac"]["chain"]}", key = "{files["qwac"]["key"]}" }}',
            f'seal = {{ certificate = "{files["qsealc"]["chain"]}", key = "{files["qsealc"]["key"]}" }}',
            "[banks.bpce-17515]",
            *of_sandbox(sandbox),
            "[banks.bpce-13807]",
            *of_sandbox(sandbox),
            "[store]",
            'url = "consents.db"',
            'key_file = "store.key"',
        ]
    )


def of_sandbox(sandbox: Sandbox) -> list[str]:
    """The members of a bank that is the sandbox bank."""
    return [
        f'origin = "{sandbox.endpoints["origin"]}"',
        f'trust_anchors = ["{sandbox.issuer["ca"]}"]',
        'trust_mode = "replace"',
    ]


def pool_of(sandbox: Sandbox, folder: Path, bank: str = "bpce-17515") -> cbpii.SessionPool:
    """The pool the command works with."""
    record = cbpii.Bank.by_id(bank, "sandbox").with_origin(sandbox.endpoints["origin"])
    record = record.with_trust_anchor(Path(sandbox.issuer["ca"]).read_bytes(), mode="replace")
    client = cbpii.Client(record, sandbox.own_issuer())
    return cbpii.SessionPool(client, cbpii.SealedStore(folder / "consents.db", key=STORE_KEY))
