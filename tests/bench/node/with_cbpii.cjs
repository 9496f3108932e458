// The funds check with the package: one client.
'use strict'

const { readFileSync } = require('node:fs')

const { Bank, Client, Issuer, SealIdentity, Tokens, TransportIdentity } = require('cbpii')

const { main } = require('./works.cjs')

const DAY_MS = 86_400_000

main((config, { keeps }) => {
  const read = (certificate, key) => ({ certificate: readFileSync(certificate), key: readFileSync(key) })
  const client = new Client({
    bank: Bank.bpce('17515', 'sandbox').withOrigin(config.origin).withTrustAnchor(readFileSync(config.ca)),
    issuer: new Issuer({
      clientId: config.client_id,
      redirectUri: config.redirect_uri,
      transport: new TransportIdentity(read(config.qwac_chain, config.qwac_key)),
      seal: new SealIdentity(read(config.seal_chain, config.seal_key)),
    }),
    maxIdleConnections: keeps ? 32 : 0,
  })
  const obtainedAt = new Date()
  const consentExpiresAt = new Date(obtainedAt.getTime() + 180 * DAY_MS)
  const tokens = new Tokens({ accessToken: config.access_token, obtainedAt, consentExpiresAt })
  const { reference, amount, iban } = config
  const call = async () => {
    const answer = await client.confirmFunds(tokens, { reference, account: iban, amount, currency: 'EUR' })
    if (!answer.available) {
      throw new Error('not a yes')
    }
  }
  return { call, resumed: () => client.statistics.resumed, close: () => client.close() }
})
