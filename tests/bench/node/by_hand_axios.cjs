// The funds check by hand, with axios and node:crypto.
'use strict'

const { Agent } = require('node:https')

const axios = require('axios')

const { CALL_MS, Funds, tlsOptions } = require('./by_hand.cjs')
const { main } = require('./works.cjs')

main((config, { keeps }) => {
  const funds = new Funds(config)
  const httpsAgent = new Agent({ ...tlsOptions(config), keepAlive: keeps })
  const client = axios.create({
    httpsAgent,
    timeout: CALL_MS,
    maxRedirects: 0,
    proxy: false,
    validateStatus: () => true,
  })
  const call = async () => {
    const { body, headers } = await funds.request()
    const answer = await client.post(config.funds_url, body, { headers })
    funds.check(answer.status, answer.data)
  }
  return { call, close: () => httpsAgent.destroy() }
})
