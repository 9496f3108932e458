/** The shop with the sandbox bank on this machine, to click through: `npm run demo`. */

import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'

import { SealedStore, SessionPool } from 'cbpii'
import { Sandbox } from 'cbpii/testing'
import closeWithGrace from 'close-with-grace'
import { generate } from 'selfsigned'

import { Metrics } from './metrics.js'
import { operations } from './operations.js'
import { FOLDER } from './pages.js'
import { checkout } from './server.js'

const PORT = 8443
const ORIGIN = `https://localhost:${PORT}`

const bank = await Sandbox.start('--redirect-uri', `${ORIGIN}/callback`)
const metrics = new Metrics()
const folder = `${FOLDER}/data`
mkdirSync(folder, { recursive: true })
// The keys live as long as this program; so do the consents at this bank.
const store = await SealedStore.open(`${folder}/demo-${process.pid}.sqlite`, { key: randomBytes(32) })
const pool = new SessionPool({ client: bank.client({ onEvent: metrics.exchange }), store })
const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
  keyType: 'ec',
  algorithm: 'sha256',
})
const shop = await checkout({
  pool,
  metrics,
  rules: { payee: 'Maison Exemple', budgetMs: 300, acceptWithoutAnswerUpTo: 0 },
  consentValidForMs: 15 * 60_000,
  sessionKeys: [randomBytes(32)],
  tls: { cert, key },
  logLevel: 'warn',
})
const inside = operations(pool, metrics)
closeWithGrace(async () => {
  await shop.close()
  await inside.close()
  await bank.close()
})
await shop.listen({ port: PORT })
await inside.listen({ port: 9464 })
await pool.client.warmUp(2)
console.log(`The shop: ${ORIGIN} (your browser warns of its certificate, which was made just now)
For its owners: http://localhost:9464/metrics, /health, /ready
Cardholders at the bank: CLAIRE, account FR76 1751 5900 0008 0035 8074 006, who has 458.99 euro; end with Ctrl-C`)
