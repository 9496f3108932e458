// The bank that is called: what a measurement must know of it.

import { PERSONAS } from 'cbpii/testing'

/** What a process needs for its calls, and fresh tokens; also as `cbpii-bench work` reads it. */
export async function setup(sandbox) {
  const { issuer, endpoints } = sandbox
  return {
    origin: endpoints.origin,
    funds_url: endpoints.funds_url,
    client_id: issuer.client_id,
    redirect_uri: issuer.redirect_uri,
    access_token: (await sandbox.tokens('CLAIRE')).accessToken.expose(),
    ca: issuer.ca,
    qwac_chain: issuer.qwac.chain,
    qwac_key: issuer.qwac.key,
    seal_chain: issuer.qsealc.chain,
    seal_key: issuer.qsealc.key,
  }
}

/** What is asked; `cbpii-bench` asks the same. */
export const QUESTION = { iban: PERSONAS.CLAIRE, amount: '12.50', reference: 'MyCoverage123456' }

/** Since the start of the bank. */
export async function connectionsOpened(sandbox) {
  return (await sandbox.control('GET', '/connections')).opened
}

const FRESH = new Set(['x-request-id', 'date', 'digest', 'signature'])
/** What undici, fetch and axios send besides, and cannot be told to leave out. */
const BESIDES = new Set(['connection', 'accept-language', 'sec-fetch-mode'])

/** A recorded request without what is new in every call; the libraries decide on the order of headers and on capitals. */
export function constantPart({ headers, body }) {
  const lines = headers
    .map(([name, value]) => [name.toLowerCase(), value])
    .filter(([name]) => !BESIDES.has(name))
    .map(([name, value]) => `${name}: ${FRESH.has(name) ? `${value.length} characters` : value}`)
  return [...lines.sort(), body].join('\n')
}
