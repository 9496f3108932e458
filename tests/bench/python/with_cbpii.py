"""The funds check with the package: one client for all threads, or one for all tasks.

With ``BENCH_ASYNC`` in the environment all works are done in tasks of asyncio.
"""

import os
from datetime import datetime, timedelta, timezone

import cbpii

from works import YES, AsyncCall, Call, Config, Side, main


def contents(path: str) -> bytes:
    """Of a file; without pathlib, whose import takes longer than the package's."""
    with open(path, "rb") as file:
        return file.read()


class Cbpii(Side):
    def __init__(self, config: Config, keeps: bool) -> None:
        self.config = config
        self.idle = 32 if keeps else 0
        self.bank = cbpii.Bank.bpce("17515", "sandbox").with_origin(config.origin).with_trust_anchor(contents(config.ca))
        self.issuer = cbpii.Issuer(
            client_id=config.client_id,
            redirect_uri=config.redirect_uri,
            transport=cbpii.TransportIdentity(contents(config.qwac_chain), contents(config.qwac_key)),
            seal=cbpii.SealIdentity(contents(config.seal_chain), contents(config.seal_key)),
        )
        now = datetime.now(timezone.utc)
        self.tokens = cbpii.Tokens(
            access_token=config.access_token, obtained_at=now, consent_expires_at=now + timedelta(days=180)
        )
        self.client: cbpii.Client | None = None
        self.async_client: cbpii.AsyncClient | None = None

    def request(self) -> cbpii.FundsRequest:
        config = self.config
        return cbpii.FundsRequest(reference=config.reference, account=config.iban, amount=config.amount, currency="EUR")

    def caller(self) -> Call:
        if self.client is None:
            self.client = cbpii.Client(self.bank, self.issuer, max_idle_connections=self.idle)
        return self.calling(self.client)

    def calling(self, client: cbpii.Client) -> Call:
        tokens = self.tokens

        def call() -> None:
            if not client.confirm_funds(tokens, self.request()).available:
                raise RuntimeError("not a yes")

        return call

    def caller_in_memory(self) -> Call:
        def transport(request: cbpii.HttpRequest) -> cbpii.HttpResponse:
            return cbpii.HttpResponse(200, (("content-type", "application/json"),), YES % request.body)

        return self.calling(cbpii.Client(self.bank, self.issuer, transport=transport))

    def resumed(self) -> int | None:
        return None if self.client is None else self.client.statistics.resumed

    async def async_caller(self) -> AsyncCall:
        if self.async_client is None:
            self.async_client = cbpii.AsyncClient(self.bank, self.issuer, max_idle_connections=self.idle)
        client, tokens = self.async_client, self.tokens

        async def call() -> None:
            if not (await client.confirm_funds(tokens, self.request())).available:
                raise RuntimeError("not a yes")

        return call

    async def aclose(self) -> None:
        if self.async_client is not None:
            self.async_client.close()


if __name__ == "__main__":
    main(Cbpii, only_async="BENCH_ASYNC" in os.environ)
