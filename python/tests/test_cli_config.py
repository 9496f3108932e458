"""The configuration of the command."""

import base64
import json
import shutil
from pathlib import Path

import platformdirs
import pytest
from command import CLAIRE, STORE_KEY, cbpii_command, configuration, pool_of
from support import Sandbox


def explained() -> int:
    """The exit code of a command that needs the issuer and its bank."""
    return cbpii_command("explain", "1", "--iban", CLAIRE).code


def test_it_is_found_in_four_places(sandbox: Sandbox, configured: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert explained() == 0
    moved = Path(shutil.move(configured / "cbpii.toml", configured / "other.toml"))
    none = cbpii_command("explain", "1", "--iban", CLAIRE, "--bank", "bpce-17515")
    assert (none.code, "give --config or make a cbpii.toml" in none.err) == (2, True)
    assert cbpii_command("explain", "1", "--iban", CLAIRE, "--config", moved).code == 0
    monkeypatch.setenv("CBPII_CONFIG", str(moved))
    assert explained() == 0
    monkeypatch.delenv("CBPII_CONFIG")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(configured / "home"))
    folder = platformdirs.user_config_path("cbpii", ensure_exists=True)
    (folder / "cbpii.toml").write_text(configuration(sandbox))
    assert explained() == 0


def test_paths_are_relative_to_the_file(sandbox: Sandbox, configured: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = configured / "keys"
    folder.mkdir()
    for name in ("chain", "key"):
        shutil.copy(sandbox.issuer["qwac"][name], folder / name)
        shutil.copy(sandbox.issuer["qsealc"][name], folder / f"seal-{name}")
    text = configuration(sandbox)
    for old, new in [("qwac", ""), ("qsealc", "seal-")]:
        for name in ("chain", "key"):
            text = text.replace(sandbox.issuer[old][name], f"keys/{new}{name}")
    (configured / "cbpii.toml").write_text(text)
    (configured / "elsewhere").mkdir()
    monkeypatch.chdir(configured / "elsewhere")
    monkeypatch.setenv("CBPII_CONFIG", "../cbpii.toml")
    assert explained() == 0
    assert cbpii_command("consents").code == 0
    assert (configured / "consents.db").exists()


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ('bank = "bpce-17515"', 'bnak = "bpce-17515"', "bnak: extra inputs are not permitted"),
        ('environment = "sandbox"', 'environment = "moon"', "environment: input should be 'sandbox'"),
        ("[issuer]", "[issuer", "is not TOML"),
        ("key_file", "key_flie", "store.key_flie"),
        ('client_id = "', 'client_secret = "hunter2"\nclient_id = "', "issuer.client_secret"),
        ("certificate =", "keystore = 'x', key_id = 'y', certificate =", "issuer.transport.key_id"),
        ("certificate =", "# certificate =", "is not TOML"),
        ('bank = "bpce-17515"', 'bank = "nonsense"', "nonsense"),
        ("[banks.bpce-17515]", "[banks.bpce-17515]\nrecord = 'missing.json'", "missing.json"),
    ],
)
def test_mistakes_are_named(configured: Path, old: str, new: str, text: str) -> None:
    path = configured / "cbpii.toml"
    path.write_text(path.read_text().replace(old, new, 1))
    done = cbpii_command("explain", "1", "--iban", CLAIRE)
    assert done.code == 2
    assert text in done.err
    assert "hunter2" not in done.err
    assert cbpii_command("explain", "1", "--iban", CLAIRE, "--json").json["error"]["advice"] == "fix_configuration"


def test_a_file_that_is_not_there(configured: Path) -> None:
    done = cbpii_command("consents", "--config", configured / "missing.toml")
    assert (done.code, "missing.toml cannot be read" in done.err) == (2, True)


def test_environment_variables_go_first(configured: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CBPII_BANK", "bpce-13807")
    monkeypatch.setenv("CBPII_STORE", str(configured / "other.db"))
    assert cbpii_command("consent", "start", "claire", "--json").json["bank_id"] == "bpce-13807"
    assert cbpii_command("consents").code == 0
    assert (configured / "other.db").exists()
    monkeypatch.setenv("CBPII_STORE", "memory")
    assert cbpii_command("consents").out == "No consents.\n"
    monkeypatch.setenv("CBPII_ENVIRONMENT", "moon")
    assert "CBPII_ENVIRONMENT" in cbpii_command("consents").err


@pytest.mark.parametrize(
    "write", [lambda key: key, lambda key: base64.b64encode(key) + b"\n", lambda key: key.hex().encode()]
)
def test_the_key_of_the_store_in_a_file(sandbox: Sandbox, configured: Path, write: "type[bytes]") -> None:
    pool_of(sandbox, configured).keep("claire", sandbox.tokens())
    (configured / "store.key").write_bytes(write(STORE_KEY))
    assert cbpii_command("check", "claire", "1", "--iban", CLAIRE).code == 0


def test_the_key_of_the_store_in_the_environment(configured: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = configured / "cbpii.toml"
    path.write_text(path.read_text().replace("key_file", "# key_file"))
    assert "CBPII_STORE_KEY" in cbpii_command("consents").err
    monkeypatch.setenv("CBPII_STORE_KEY", STORE_KEY.hex())
    assert cbpii_command("consents").code == 0
    monkeypatch.setenv("CBPII_STORE_KEY", "hunter2")
    done = cbpii_command("consents")
    assert (done.code, "openssl rand -hex 32" in done.err, "hunter2" in done.err) == (2, True, False)
    path.write_text(path.read_text().replace("# key_file", "key_file"))
    (configured / "store.key").unlink()
    assert "openssl rand -hex 32 >" in cbpii_command("consents").err
    path.write_text(path.read_text().replace('url = "consents.db"', ""))
    assert "names no consent store" in cbpii_command("consents").err


def test_keystores_and_passwords(sandbox: Sandbox, configured: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = configuration(sandbox)
    for use, name in [("transport", "qwac"), ("seal", "qsealc")]:
        store = next(path for form, path in sandbox.issuer[f"{name}_forms"].items() if "pkcs12" in form)
        files = sandbox.issuer[name]
        text = text.replace(
            f'{use} = {{ certificate = "{files["chain"]}", key = "{files["key"]}" }}',
            f'{use} = {{ keystore = "{store}", password_env = "KEY_PASSWORD" }}',
        )
    (configured / "cbpii.toml").write_text(text)
    assert "KEY_PASSWORD" in cbpii_command("explain", "1", "--iban", CLAIRE).err
    monkeypatch.setenv("KEY_PASSWORD", "wrong")
    assert explained() == 2
    monkeypatch.setenv("KEY_PASSWORD", sandbox.issuer["key_password"])
    assert explained() == 0


def test_an_issuer_that_differs_from_bank_to_bank(
    sandbox: Sandbox, configured: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = sandbox.bank().replace(id="my-bank", client_authentication="client_secret_basic").to_json()
    (configured / "my-bank.json").write_text(record)
    own = '[banks.my-bank]\nrecord = "my-bank.json"\nclient_id = "OTHER-ID"\nclient_secret_env = "MY_SECRET"\n'
    text = configuration(sandbox, bank="my-bank").replace("[store]", own + "[store]")
    (configured / "cbpii.toml").write_text(text.replace("[store]", '[options]\nproxy_env = "MY_PROXY"\n[store]'))
    assert "MY_SECRET" in cbpii_command("explain", "1", "--iban", CLAIRE).err
    monkeypatch.setenv("MY_SECRET", "hunter2")
    assert "MY_PROXY" in cbpii_command("explain", "1", "--iban", CLAIRE).err
    monkeypatch.setenv("MY_PROXY", "http://localhost:3128")
    done = cbpii_command("explain", "1", "--iban", CLAIRE, "--json")
    assert (done.code, done.json["key_id"]) == (0, "OTHER-ID")
    (configured / "my-bank.json").write_text(json.dumps({**json.loads(record), "id": "another"}))
    assert "use the same id" in cbpii_command("explain", "1", "--iban", CLAIRE).err
