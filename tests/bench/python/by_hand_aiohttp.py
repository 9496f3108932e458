"""The funds check by hand, with aiohttp and cryptography: one ``ClientSession`` for all tasks."""

import aiohttp

from by_hand import CALL_SECONDS, CONNECT_SECONDS, CONSTANT_HEADERS, Funds, tls_context
from works import AsyncCall, Config, Side, main


class Aiohttp(Side):
    def __init__(self, config: Config, keeps: bool) -> None:
        self.funds = Funds(config)
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=tls_context(config), force_close=not keeps),
            headers=CONSTANT_HEADERS,
            timeout=aiohttp.ClientTimeout(CALL_SECONDS, connect=CONNECT_SECONDS),
        )

    async def async_caller(self) -> AsyncCall:
        session, funds = self.session, self.funds

        async def call() -> None:
            body, headers = funds.request()
            async with session.post(funds.url, data=body, headers=headers, allow_redirects=False) as response:
                answer = await response.json(content_type=None)
            funds.check(response.status, answer)

        return call

    async def aclose(self) -> None:
        await self.session.close()


if __name__ == "__main__":
    main(Aiohttp, only_async=True)
