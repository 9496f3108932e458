// The funds check by hand, with undici.request and node:crypto.
'use strict'

const { Agent, request } = require('undici')

const { CALL_MS, CONNECT_MS, Funds, tlsOptions } = require('./by_hand.cjs')
const { main } = require('./works.cjs')

main((config, { keeps }) => {
  const funds = new Funds(config)
  // Pipelining 0 is undici's way to say: a connection for each request.
  const dispatcher = new Agent({
    pipelining: keeps ? 1 : 0,
    connect: { ...tlsOptions(config), timeout: CONNECT_MS },
    headersTimeout: CALL_MS,
    bodyTimeout: CALL_MS,
  })
  const call = async () => {
    const { body, headers } = await funds.request()
    const answer = await request(config.funds_url, { method: 'POST', dispatcher, headers, body })
    funds.check(answer.statusCode, await answer.body.json())
  }
  return { call, close: () => dispatcher.close() }
})
