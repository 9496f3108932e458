// What a worker thread of worker-threads.test.mjs does.

import { readFileSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'

import { Bank, Client, Issuer, SealIdentity, SessionPool, TransportIdentity } from 'cbpii'

import { bareClient, check, OwnStore, sealed, someTokens } from './support.mjs'

function sandboxClient() {
  const { issuer, endpoints } = workerData
  const material = ({ chain, key }) => ({ certificate: readFileSync(chain), key: readFileSync(key) })
  const bank = Bank.bpce('17515', 'sandbox').withOrigin(endpoints.origin)
  return new Client({
    bank: bank.withTrustAnchor(readFileSync(issuer.ca), { mode: 'replace' }),
    issuer: new Issuer({
      clientId: issuer.client_id,
      redirectUri: issuer.redirect_uri,
      transport: new TransportIdentity(material(issuer.qwac)),
      seal: new SealIdentity(material(issuer.qsealc)),
    }),
  })
}

const never = () => {
  parentPort.postMessage('asked')
  return new Promise(() => {})
}

const PROGRAMS = {
  async answers() {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => bareClient().confirmFunds(someTokens(), check())),
    )
    parentPort.postMessage(answers.every(({ available }) => available))
  },

  stalled() {
    const client = sandboxClient()
    for (let call = 0; call < 10; call += 1) {
      client.confirmFunds(someTokens(), check()).catch(() => {})
    }
    setTimeout(() => parentPort.postMessage('asked'), 50)
  },

  transport() {
    bareClient({ transport: never })
      .confirmFunds(someTokens(), check())
      .catch(() => {})
  },

  async store() {
    const store = Object.assign(new OwnStore(), { load: never })
    await new SessionPool({ client: bareClient(), store: await sealed(store) }).open('claire')
  },

  async many() {
    const pool = new SessionPool({ client: sandboxClient(), store: await sealed() })
    const session = await pool.keep('claire', someTokens())
    setTimeout(() => parentPort.postMessage('asked'), 50)
    for await (const _ of pool.confirmMany(
      Array.from({ length: 50 }, () => ({ consent: session, request: check() })),
    )) {
      // Nothing comes.
    }
  },
}

PROGRAMS[workerData.what]()
