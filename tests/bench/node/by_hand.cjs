// What the programs by hand share: the signed request, whichever library sends it, and the look at its answer.
'use strict'

const { createHash, createPrivateKey, randomUUID, sign } = require('node:crypto')
const { readFileSync } = require('node:fs')

const CONNECT_MS = 5_000
const CALL_MS = 10_000

const CONSTANT_HEADERS = {
  'user-agent': 'cbpii/0.1.0',
  accept: 'application/hal+json, application/json',
  'accept-encoding': 'identity',
}

/** The bank's CA and the client certificate, read and parsed once. */
function tlsOptions(config) {
  const files = { ca: config.ca, cert: config.qwac_chain, key: config.qwac_key }
  return Object.fromEntries(Object.entries(files).map(([name, path]) => [name, readFileSync(path)]))
}

/** Makes the requests of one issuer. */
class Funds {
  #key
  #config
  #path

  constructor(config) {
    this.#config = config
    this.#key = createPrivateKey(readFileSync(config.seal_key))
    this.#path = new URL(config.funds_url).pathname
  }

  /** Body and headers of a new request. With BENCH_SIGN_ASYNC it is signed on a thread of libuv's pool. */
  async request() {
    const config = this.#config
    const body = JSON.stringify({
      paymentCoverageRequestId: config.reference,
      instructedAmount: { currency: 'EUR', amount: config.amount },
      accountId: { iban: config.iban },
    })
    const requestId = randomUUID()
    const date = new Date().toUTCString()
    const digest = `SHA-256=${createHash('sha256').update(body).digest('base64')}`
    const signed = `(request-target): post ${this.#path}\ndate: ${date}\ndigest: ${digest}\nx-request-id: ${requestId}`
    const signature = (await this.#sign(Buffer.from(signed))).toString('base64')
    const headers = {
      ...CONSTANT_HEADERS,
      authorization: `Bearer ${config.access_token}`,
      'x-request-id': requestId,
      date,
      digest,
      'content-type': 'application/json',
      signature:
        `keyId="${config.client_id}",algorithm="rsa-sha256",` +
        `headers="(request-target) date digest x-request-id",signature="${signature}"`,
    }
    return { body, headers }
  }

  /** Throws unless this is a yes to our request. */
  check(status, answer) {
    if (status !== 200 || answer.request.paymentCoverageRequestId !== this.#config.reference) {
      throw new Error(`no answer, but ${status}: ${JSON.stringify(answer)}`)
    }
    if (answer.result !== true) {
      throw new Error(`not a yes: ${JSON.stringify(answer)}`)
    }
  }

  #sign(bytes) {
    if (process.env.BENCH_SIGN_ASYNC === undefined) {
      return sign('sha256', bytes, this.#key)
    }
    return new Promise((resolve, reject) => {
      sign('sha256', bytes, this.#key, (error, signature) => (error ? reject(error) : resolve(signature)))
    })
  }
}

module.exports = { CALL_MS, CONNECT_MS, Funds, tlsOptions }
