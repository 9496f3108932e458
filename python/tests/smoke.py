"""What check-packages runs in a clean environment, with the package as users install it."""

import asyncio
import importlib.metadata
import importlib.resources
import json
import shutil
import subprocess
import sys
from pathlib import Path

import cbpii
from cbpii.testing import PERSONAS, Sandbox


def question(amount: str) -> cbpii.FundsRequest:
    return cbpii.FundsRequest(reference="ORDER-1", account=PERSONAS["CLAIRE"], amount=amount, currency="EUR")


def test_it_is_the_installed_one() -> None:
    assert Path(cbpii.__file__).is_relative_to(sys.prefix)
    assert importlib.metadata.version("cbpii") == cbpii.__version__
    files = importlib.resources.files(cbpii)
    assert files.joinpath("py.typed").is_file()
    assert files.joinpath("_cbpii.pyi").is_file()
    licences = {path.name for path in importlib.metadata.files("cbpii") or () if "licenses" in path.parts}
    assert licences == {"LICENSE-APACHE", "LICENSE-MIT"}


def test_a_check(cbpii_sandbox: Sandbox, tmp_path: Path) -> None:
    client = cbpii_sandbox.client()
    pending = client.begin_consent()
    tokens = client.complete_consent(pending, cbpii_sandbox.approve(pending.url, "CLAIRE"))
    pool = cbpii.SessionPool(client, cbpii.SealedStore(tmp_path / "consents.db", key=bytes(32)))
    session = pool.keep("claire", tokens)
    assert session.confirm_funds(question("458.99")).available
    assert not session.confirm_funds(question("459")).available


def test_a_check_with_asyncio(cbpii_sandbox: Sandbox) -> None:
    async def ask() -> bool:
        async with cbpii_sandbox.async_client() as client:
            answer = await client.confirm_funds(cbpii_sandbox.tokens("CLAIRE"), question("1"))
            return answer.available

    assert asyncio.run(ask())


def test_the_command() -> None:
    command = shutil.which("cbpii", path=str(Path(sys.executable).parent))
    assert command is not None
    found = subprocess.run([command, "banks", "17515", "--json"], capture_output=True, text=True, check=True)
    assert "bpce-17515" in json.dumps(json.loads(found.stdout))
