// Makes many calls, and says by how much the memory of its process has grown; run by growth.test.mjs.

import { readFileSync } from 'node:fs'

import { FundsRequest, SessionPool } from 'cbpii'

import { bareClient, check, failure, sealed, someTokens } from './support.mjs'

const [client, tokens] = [bareClient(), someTokens()]
const session = await new SessionPool({ client, store: await sealed() }).keep('claire', tokens)

async function calls(rounds) {
  for (let round = 0; round < rounds; round += 1) {
    const { signal } = new AbortController()
    const each = Array.from({ length: 25 }, () => [
      client.confirmFunds(tokens, check(), { signal }),
      session.confirmFunds(new FundsRequest(check())),
    ])
    await Promise.all(each.flat())
    await failure(client.confirmFunds(tokens, check({ amount: '0' })))
    await failure(client.confirmFunds(tokens, check(), { signal: AbortSignal.abort() }))
  }
}

/** What this process holds in memory of its own, in bytes, once the garbage is collected. */
async function held() {
  for (let round = 0; round < 3; round += 1) {
    await new Promise(setImmediate)
    globalThis.gc()
  }
  return Number(/RssAnon:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) * 1024
}

await calls(100)
const before = await held()
await calls(400)
console.log((await held()) - before)
