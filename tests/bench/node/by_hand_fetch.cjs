// The funds check by hand, with fetch and node:crypto. It is the fetch of the package undici: the one that is built into
// Node takes a client certificate only through that package, and only of its own version.
'use strict'

const { Agent, fetch } = require('undici')

const { CALL_MS, CONNECT_MS, Funds, tlsOptions } = require('./by_hand.cjs')
const { main } = require('./works.cjs')

main((config, { keeps }) => {
  const funds = new Funds(config)
  const dispatcher = new Agent({ pipelining: keeps ? 1 : 0, connect: { ...tlsOptions(config), timeout: CONNECT_MS } })
  const call = async () => {
    const { body, headers } = await funds.request()
    const signal = AbortSignal.timeout(CALL_MS)
    const answer = await fetch(config.funds_url, {
      method: 'POST',
      dispatcher,
      headers,
      body,
      redirect: 'manual',
      signal,
    })
    funds.check(answer.status, await answer.json())
  }
  return { call, close: () => dispatcher.close() }
})
