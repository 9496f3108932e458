/** What the people who run the server ask it. It listens apart from the shop, where no shopper comes. */

import { CbpiiError, type SessionPool } from 'cbpii'
import Fastify, { type FastifyInstance } from 'fastify'

import type { Metrics } from './metrics.js'

/** An id no consent is kept under. */
const NONE = 'is the store there?'

/** `/health`: the process answers; `/ready`: the store of consents does, too; `/metrics`: for Prometheus. */
export function operations(pool: SessionPool, metrics: Metrics): FastifyInstance {
  const app = Fastify()
  app.get('/health', async () => ({ status: 'ok' }))
  app.get('/ready', async (_, reply) => {
    const problem = await problemOf(pool)
    return problem === undefined ? { status: 'ok' } : reply.code(503).send({ status: 'not ready', problem })
  })
  app.get('/metrics', async (_, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  )
  return app
}

/** A bank that is away is no reason to take no shoppers: there are other ways to pay. */
async function problemOf(pool: SessionPool): Promise<string | undefined> {
  try {
    await pool.open(NONE)
    return undefined
  } catch (error) {
    const code = error instanceof CbpiiError ? error.code : 'unknown'
    return code === 'consent.unknown' ? undefined : code
  }
}
