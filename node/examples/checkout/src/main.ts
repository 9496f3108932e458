/** The program: reads the environment, serves, and ends when it is told to, without dropping who is being served. */

import closeWithGrace from 'close-with-grace'

import { Metrics } from './metrics.js'
import { operations } from './operations.js'
import { checkout } from './server.js'
import { readSettings } from './settings.js'

async function main(): Promise<void> {
  const metrics = new Metrics()
  const settings = await readSettings(process.env, metrics)
  const { pool } = settings.checkout
  const shop = await checkout(settings.checkout)
  const inside = operations(pool, metrics)
  closeWithGrace({ delay: 15_000, logger: shop.log }, async ({ signal, err }) => {
    if (err) {
      shop.log.error({ err }, 'ending because of an error')
    } else {
      shop.log.info({ signal }, 'ending')
    }
    await shop.close()
    await inside.close()
  })
  await inside.listen(settings.operations)
  await shop.listen(settings.shop)
  // The first shopper need not wait for a TLS handshake with the bank. If the bank is away now, it may be back later.
  await pool.client.warmUp(2).catch((error: unknown) => shop.log.warn({ err: error }, 'the bank cannot be reached yet'))
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
})
