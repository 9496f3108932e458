"""``cbpii consent`` and ``cbpii consents``."""

import json
import stat
from datetime import datetime, timedelta, timezone
from pathlib import Path

import cbpii
import pytest
from command import CLAIRE, STORE_KEY, cbpii_command, configuration, pool_of
from support import Sandbox, some_tokens


def test_from_the_address_to_a_kept_consent(sandbox: Sandbox, configured: Path) -> None:
    started = cbpii_command("consent", "start", "claire")
    assert started.code == 0
    url = next(line for line in started.out.splitlines() if line.startswith("https://"))
    folder = configured / "pending"
    (file,) = folder.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o600

    callback = sandbox.approve(url)
    finished = cbpii_command("consent", "finish", typed=callback + "\n")
    assert finished.code == 0
    assert "The consent claire is kept" in finished.out
    assert list(folder.iterdir()) == []
    assert pool_of(sandbox, configured).open("claire").state is cbpii.ConsentState.ACTIVE

    again = cbpii_command("consent", "finish", callback)
    assert (again.code, "No pending consent belongs to this callback" in again.err) == (3, True)


@pytest.mark.usefixtures("configured")
def test_for_machines_and_several_at_once(sandbox: Sandbox) -> None:
    started = {
        persona: cbpii_command("consent", "start", persona, "--json", "--valid-for", "5").json
        for persona in ("CLAIRE", "LEA")
    }
    assert started["LEA"]["bank_id"] == "bpce-17515"
    expires_at = datetime.fromisoformat(started["LEA"]["expires_at"])
    assert timedelta(minutes=4) < expires_at - datetime.now(timezone.utc) <= timedelta(minutes=5)
    for persona, facts in started.items():
        finished = cbpii_command("consent", "finish", "--json", sandbox.approve(facts["url"], persona)).json
        assert (finished["consent"], finished["state"]) == (persona, "active")


def test_the_bank_by_iban(configured: Path) -> None:
    assert cbpii_command("consent", "start", "claire", "--json", "--iban", CLAIRE).json["bank_id"] == "bpce-17515"
    groups = ["FR76", "1751", "5900", "0008", "0035", "8074", "006"]
    assert cbpii_command("consent", "start", "claire", "--json", "--iban", *groups).json["bank_id"] == "bpce-17515"
    shared = cbpii_command("consent", "start", "lea", "--iban", "FR7613807008043001965405158")
    assert shared.code == 2
    assert "bpce-13807-credit-maritime (Crédit Maritime" in shared.err
    (configured / "cbpii.toml").write_text("[issuer]\nclient_id = 'a'\nredirect_uri = 'https://b.example/c'")
    assert "give --bank, or set 'bank'" in cbpii_command("consent", "start", "claire").err


def test_a_cardholder_who_refuses(sandbox: Sandbox, configured: Path) -> None:
    url = cbpii_command("consent", "start", "claire", "--json").json["url"]
    done = cbpii_command("consent", "finish", sandbox.approve(url, auto="refuse"))
    assert done.code == 3
    assert "consent.access_denied" in done.err
    assert list((configured / "pending").iterdir()) == []


def test_a_code_that_was_not_sent_can_be_sent_later(sandbox: Sandbox, configured: Path) -> None:
    url = cbpii_command("consent", "start", "claire", "--json").json["url"]
    callback = sandbox.approve(url)
    whole = (configured / "cbpii.toml").read_text()
    (configured / "cbpii.toml").write_text(whole.replace(sandbox.endpoints["origin"], "https://localhost:1"))
    assert cbpii_command("consent", "finish", callback).code == 4
    (configured / "cbpii.toml").write_text(whole)
    assert cbpii_command("consent", "finish", callback).code == 0


@pytest.mark.usefixtures("configured")
def test_a_code_that_may_have_been_used_is_not_sent_again(sandbox: Sandbox) -> None:
    callback = sandbox.approve(cbpii_command("consent", "start", "claire", "--json").json["url"])
    sandbox.fault("token", "answer_lost")
    assert cbpii_command("consent", "finish", callback).code == 4
    assert cbpii_command("consent", "finish", callback).code == 3
    assert len([one for one in sandbox.requests() if one["endpoint"] == "token"]) == 1


def test_what_is_no_callback(configured: Path) -> None:
    assert "has no 'state'" in cbpii_command("consent", "finish", "https://issuer.example/").err
    assert "No address was given" in cbpii_command("consent", "finish").err
    cbpii_command("consent", "start", "claire")
    (file,) = (configured / "pending").iterdir()
    file.write_text("{}")
    state = "https://issuer.example/?state=x"
    assert cbpii_command("consent", "finish", state).code == 3
    assert "remove the file" in cbpii_command("consent", "start", "claire").err


def test_pending_consents_age_out(configured: Path) -> None:
    cbpii_command("consent", "start", "claire")
    (file,) = (configured / "pending").iterdir()
    facts = json.loads(file.read_text())
    pending = json.loads(facts["pending"])
    old = {name: value.replace("20", "19", 1) if name.endswith("_at") else value for name, value in pending.items()}
    file.write_text(json.dumps({**facts, "pending": json.dumps(old)}))
    cbpii_command("consent", "start", "lea")
    assert file not in (configured / "pending").iterdir()


def test_the_list_of_consents(sandbox: Sandbox, configured: Path) -> None:
    assert cbpii_command("consents").out == "No consents.\n"
    pool = pool_of(sandbox, configured)
    now = datetime.now(timezone.utc)
    pool.keep("claire", some_tokens(consent_expires_at=now + timedelta(days=100, hours=1)))
    pool.keep("lea", some_tokens(consent_expires_at=now + timedelta(days=5, hours=1)))
    pool.keep("georges", some_tokens(consent_expires_at=now + timedelta(milliseconds=1)))
    pool_of(sandbox, configured, "bpce-13807").keep("uma", some_tokens(consent_expires_at=now + timedelta(days=200)))
    rows = {row["consent"]: row for row in cbpii_command("consents", "--json").json}
    states = {consent: (row["state"], row["days_left"]) for consent, row in rows.items()}
    assert states == {"georges": ("expired", 0), "lea": ("renew_soon", 5), "claire": ("active", 100), "uma": ("active", 199)}
    assert rows["uma"]["bank_id"] == "bpce-13807"

    shown = cbpii_command("consents")
    assert (shown.code, "4 consents, 2 to be renewed" in shown.out) == (0, True)
    due = cbpii_command("consents", "--due", "--json")
    assert (due.code, [row["consent"] for row in due.json]) == (3, ["georges", "lea"])
    for consent in ("lea", "georges"):
        assert cbpii_command("consent", "forget", consent).code == 0
    assert cbpii_command("consent", "forget", "lea").code == 3
    assert cbpii_command("consent", "forget", "claire", "--json").json["forgotten"] is True
    none = cbpii_command("consents", "--due")
    assert (none.code, none.out) == (0, "No consents are to be renewed.\n")


def test_consents_that_cannot_be_read(sandbox: Sandbox, configured: Path) -> None:
    pool_of(sandbox, configured).keep("claire", some_tokens())
    other = cbpii.SealedStore(configured / "consents.db", key=bytes(32))
    cbpii.SessionPool(sandbox.client(), other).keep("lea", some_tokens())
    rows = cbpii_command("consents", "--json").json
    assert sorted(str(row["consent"]) for row in rows) == ["None", "claire"]
    assert "store.key" in cbpii_command("consents").out
    (configured / "cbpii.toml").write_text(configuration(sandbox).replace("bpce-17515]", "bpce-11315]"))
    (configured / "store.key").write_bytes(STORE_KEY)
    assert cbpii_command("consents").code == 0


@pytest.mark.parametrize(
    "arguments", [["consents"], ["consent", "finish", "https://issuer.example/?state=s&code=secret-code"]]
)
def test_secrets_stay_hidden(configured: Path, arguments: list[str]) -> None:
    (configured / "store.key").write_text("not a key: hunter2")
    done = cbpii_command(*arguments)
    assert done.code in (2, 3)
    for secret in ("hunter2", "secret-code"):
        assert secret not in done.out + done.err


def test_a_folder_that_cannot_be_written(configured: Path) -> None:
    (configured / "pending").write_text("a file")
    done = cbpii_command("consent", "start", "claire")
    assert (done.code, "pending_folder" in done.err) == (2, True)
