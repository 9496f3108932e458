"""Where a journey of tests/vectors takes place, and what its steps do."""

import base64
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import cbpii
from facts import (
    Json,
    facts_of_confirmation,
    facts_of_session,
    facts_of_tokens,
    known,
    moment,
    request_of,
    written,
)
from support import Sandbox

# The members of a step that has none.
NONE: Json = {}
# What may be random, in the order in which it is named.
RANDOM = ("access_token", "refresh_token", "code", "request_id", "correlation_id")


class Names:
    """Gives names to what is random, so that a journey comes to the same facts everywhere."""

    def __init__(self, journey: str, folder: Path) -> None:
        self.journey = journey
        self.folder = str(folder)
        self.seen: list[str] = []

    def give(self, facts: Json) -> Json:
        named = {fact: self.name(facts[fact]) for fact in RANDOM if facts.get(fact) is not None}
        return dict(self.rename({**facts, **named}))

    def name(self, text: str) -> str:
        if text in self.journey:
            return text
        if text not in self.seen:
            self.seen.append(text)
        return f"{{{self.seen.index(text) + 1}}}"

    def rename(self, value: Any) -> Any:
        if isinstance(value, str):
            return re.sub(r"(localhost:|127\.0\.0\.1:)[0-9]+", r"\1{port}", value.replace(self.folder, "{folder}"))
        if isinstance(value, dict):
            return {name: self.rename(member) for name, member in value.items()}
        return [self.rename(part) for part in value] if isinstance(value, (list, tuple)) else value


@dataclass
class Scene:
    """The bank, the clock, and what the steps so far have led to."""

    journey: Json
    bank: Sandbox
    folder: Path
    now: datetime
    client: Any = None
    pending: Any = None
    callback: Any = None
    code: Any = None
    tokens: Any = None
    store: Any = None
    pool: Any = None
    session: Any = None

    def filled(self, value: Any) -> Any:
        """What a journey writes, with its stand-ins filled."""
        if value == "{client_secret}":
            return self.bank.issuer["client_secret"]
        if isinstance(value, str):
            return re.sub(r"\{([a-z_]+)(?::([^}]+))?\}", self.stand_in, value)
        if isinstance(value, dict):
            return {name: self.filled(member) for name, member in value.items()}
        return [self.filled(part) for part in value] if isinstance(value, list) else value

    def stand_in(self, found: "re.Match[str]") -> str:
        name, path = found.groups()
        if name == "file":
            place: Any = self.bank.issuer
            for part in path.split("."):
                place = place[part]
            return Path(place).read_text(encoding="utf-8")
        ends = self.bank.endpoints
        values = {
            **ends,
            "control": ends["control_url"].removesuffix("/control"),
            "client_id": self.bank.issuer["client_id"],
            "redirect_uri": self.bank.issuer["redirect_uri"],
            "folder": str(self.folder),
            "callback": self.callback,
            "state": None if self.pending is None else self.pending.state,
        }
        return str(values.get(name) or found.group())

    def input(self, name: str, over: Json) -> Json:
        """A member of the journey, with those of a step over it."""
        return dict(self.filled({**self.journey[name], **over}))


class Steps:
    """One method for each kind of step: its arguments are the step's members, what it returns are its facts."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene

    def client(self, bank: Json = NONE, issuer: Json = NONE, client: Json = NONE) -> Json:
        scene = self.scene
        scene.client = scene.pool = scene.session = None
        record, options = scene.input("bank", bank), scene.input("client", client)
        owner = issuer_of(scene.input("issuer", issuer))
        scene.client = cbpii.Client(
            cbpii.Bank.from_json(json.dumps(record)),
            owner,
            clock=lambda: scene.now,
            check_eligibility=False,
            **seconds(known(options, "timeout_ms", "connect_timeout_ms", "max_idle_connections", "retries", "proxy")),
        )
        return {"bank_id": scene.client.bank.id}

    def begin_consent(self, valid_for_seconds: float = 900) -> Json:
        begun = self.scene.client.begin_consent(valid_for=valid_for_seconds)
        self.scene.pending = pending = cbpii.PendingConsent.from_json(begun.to_json())
        return {
            "bank_id": pending.bank_id,
            "redirect_uri": pending.redirect_uri,
            "created_at": written(pending.created_at),
            "expires_at": written(pending.expires_at),
        }

    def visit(self, decision: str, persona: str) -> Json:
        scene = self.scene
        scene.callback = scene.bank.approve(scene.pending.url, persona, auto=decision)
        returned_to, query = scene.callback.split("?")
        return {"returned_to": returned_to, "parameters": [name for name, _ in parse_qsl(query)]}

    def complete(self, callback: str | None = None) -> Json:
        scene = self.scene
        scene.code = scene.pending.complete(scene.callback if callback is None else callback, now=scene.now)
        return {"code": scene.code.expose()}

    def exchange_code(self, code: str | None = None) -> Json:
        scene = self.scene
        if code is not None:
            scene.code = cbpii.AuthorizationCode(code)
        return self.take(scene.client.exchange_code(scene.pending, scene.code))

    def complete_consent(self, callback: str | None = None) -> Json:
        scene = self.scene
        callback = scene.callback if callback is None else callback
        return self.take(scene.client.complete_consent(scene.pending, callback))

    def consent(self, persona: str) -> Json:
        self.begin_consent()
        self.visit("approve", persona)
        return self.complete_consent()

    def tokens(
        self,
        access_token: str,
        obtained_at: str,
        consent_expires_at: str,
        refresh_token: str | None = None,
        expires_at: str | None = None,
    ) -> Json:
        tokens = cbpii.Tokens(
            access_token=access_token,
            refresh_token=refresh_token,
            obtained_at=moment(obtained_at),
            expires_at=None if expires_at is None else moment(expires_at),
            consent_expires_at=moment(consent_expires_at),
        )
        return self.take(tokens)

    def take(self, tokens: cbpii.Tokens) -> Json:
        """Tokens go through their saved form, as in a program that keeps them."""
        self.scene.tokens = cbpii.Tokens.from_json(tokens.to_json())
        return facts_of_tokens(self.scene.tokens)

    def refresh(self, timeout_ms: float | None = None) -> Json:
        return self.take(self.scene.client.refresh(self.scene.tokens, timeout=in_seconds(timeout_ms)))

    def request(self, members: Json) -> cbpii.FundsRequest:
        return request_of(self.scene.input("request", members))

    def confirm_funds(self, request: Json = NONE, timeout_ms: float | None = None) -> Json:
        scene, asked = self.scene, self.request(request)
        return facts_of_confirmation(scene.client.confirm_funds(scene.tokens, asked, timeout=in_seconds(timeout_ms)))

    def session_confirm_funds(self, request: Json = NONE, timeout_ms: float | None = None) -> Json:
        asked = self.request(request)
        return facts_of_confirmation(self.scene.session.confirm_funds(asked, timeout=in_seconds(timeout_ms)))

    def explain(self, request: Json = NONE) -> Json:
        explained = asdict(self.scene.client.explain(self.request(request)))
        return {name: value for name, value in explained.items() if name != "_text"}

    def store(self, url: str, key: str, old_keys: Sequence[str] = ()) -> Json:
        self.scene.store = self.scene.pool = self.scene.session = None
        old = [bytes.fromhex(one) for one in old_keys]
        self.scene.store = cbpii.SealedStore(url, key=bytes.fromhex(key), old_keys=old)
        return {}

    def pool(self) -> cbpii.SessionPool:
        """That of the present client and store."""
        scene = self.scene
        if scene.pool is None:
            names = ("refresh_margin_seconds", "renew_before_seconds", "refresh_timeout_ms")
            options = seconds(known(scene.journey["session"], *names))
            scene.pool = cbpii.SessionPool(scene.client, scene.store, **options)
        return scene.pool  # type: ignore[no-any-return]

    def keep(self, id: str) -> Json:
        self.scene.session = self.pool().keep(id, self.scene.tokens)
        return facts_of_session(self.scene.session)

    def open(self, id: str) -> Json:
        self.scene.session = self.pool().open(id)
        return facts_of_session(self.scene.session)

    def session(self) -> Json:
        return facts_of_session(self.scene.session)

    def forget(self, id: str) -> Json:
        return {"forgotten": self.pool().forget(id)}

    def renewals_due(self, before: str) -> Json:
        due = self.scene.store.renewals_due(moment(before))
        return {"due": [[one.id, one.bank_id, written(one.consent_expires_at), one.reason.value] for one in due]}

    def advance_clock(self, seconds: int, only: str | None = None) -> Json:
        assert only in (None, "bank", "client")
        if only != "bank":
            self.scene.now += timedelta(seconds=seconds)
        if only != "client":
            self.scene.bank.advance_clock(timedelta(seconds=seconds))
        return {}

    def control(self, call: str, body: object = None) -> Json:
        method, path = call.split(" ")
        self.scene.bank.control(method, path, body)
        return {}

    def requests_seen(self) -> Json:
        seen = self.scene.bank.requests()
        self.scene.bank.control("DELETE", "/requests")
        return {"requests": [one["endpoint"] for one in seen]}

    def inspect(
        self,
        chain: str,
        key: str | None = None,
        password: str | None = None,
        use: str | None = None,
        client_id: str | None = None,
    ) -> Json:
        secret = None if key is None else key.encode()
        report = cbpii.CertificateReport.inspect(chain.encode(), use=use, key=secret, password=password, client_id=client_id)
        return {
            "organisation_identifier": report.organisation_identifier,
            "chain_length": report.chain_length,
            "findings": [[finding.severity.value, finding.code] for finding in report.findings],
        }

    def write_file(self, path: str, base64: str) -> Json:
        Path(path).write_bytes(decoded(base64))
        return {}


def decoded(text: str) -> bytes:
    return base64.b64decode(text)


def in_seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


def seconds(options: Json) -> Json:
    """Options as Python has them: the cases name their units, Python's durations are seconds."""
    given: Json = {}
    for name, value in options.items():
        given[name.removesuffix("_seconds").removesuffix("_ms")] = value / 1000 if name.endswith("_ms") else value
    return given


def issuer_of(given: Json) -> cbpii.Issuer:
    def pair(identity: Json) -> Json:
        chain, key = identity.pop("chain"), identity.pop("key")
        return {"certificate": chain.encode(), "key": key.encode(), **identity}

    transport, seal = given.pop("transport"), given.pop("seal")
    return cbpii.Issuer(
        transport=None if transport is None else cbpii.TransportIdentity(**pair(transport)),
        seal=None if seal is None else cbpii.SealIdentity(**pair(seal)),
        **given,
    )
