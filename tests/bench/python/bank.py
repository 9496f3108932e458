"""The bank that is called: what a measurement must know of it."""

from typing import Any

from cbpii.testing import PERSONAS, Sandbox

AMOUNT = "12.50"
REFERENCE = "MyCoverage123456"


def setup(sandbox: Sandbox) -> dict[str, str]:
    """What a process needs for its calls, and fresh tokens; as ``cbpii-bench work`` reads it."""
    issuer, endpoints = sandbox.issuer, sandbox.endpoints
    return {
        "origin": endpoints["origin"],
        "funds_url": endpoints["funds_url"],
        "client_id": issuer["client_id"],
        "redirect_uri": issuer["redirect_uri"],
        "access_token": sandbox.tokens("CLAIRE").access_token.expose(),
        "ca": issuer["ca"],
        "qwac_chain": issuer["qwac"]["chain"],
        "qwac_key": issuer["qwac"]["key"],
        "seal_chain": issuer["qsealc"]["chain"],
        "seal_key": issuer["qsealc"]["key"],
    }


def variables(setup: dict[str, str]) -> dict[str, str]:
    """The same as environment variables, as ``works.py`` reads them."""
    facts = {**setup, "iban": PERSONAS["CLAIRE"], "amount": AMOUNT, "reference": REFERENCE}
    return {f"BENCH_{name.upper()}": value for name, value in facts.items()}


def connections_opened(sandbox: Sandbox) -> int:
    """Since the start of the bank."""
    return int(sandbox.control("GET", "/connections")["opened"])


def constant_part(request: dict[str, Any]) -> tuple[list[tuple[str, str]], str]:
    """A recorded request without what is new in every call; the libraries decide on the order of headers and on capitals."""
    fresh = {"x-request-id", "date", "digest", "signature"}
    headers = [(name.lower(), value) for name, value in request["headers"]]
    return sorted((name, f"{len(value)} characters" if name in fresh else value) for name, value in headers), request["body"]
