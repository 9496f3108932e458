// Nothing of this package blocks the event loop, or the threads that fs and dns share.

import assert from 'node:assert/strict'
import { lookup } from 'node:dns/promises'
import { stat } from 'node:fs/promises'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { deflate } from 'node:zlib'

import { check, useSandbox } from './support.mjs'

const bank = useSandbox()

/** The slowest of many, in milliseconds. */
async function slowest(count, work) {
  let most = 0
  for (let done = 0; done < count; done += 1) {
    const began = performance.now()
    await work()
    most = Math.max(most, performance.now() - began)
  }
  return most
}

test('64 calls that wait for the bank leave the event loop and its threads free', async () => {
  const sandbox = bank()
  await sandbox.fault('funds', 'hold', { times: null })
  const [client, tokens] = [sandbox.client({ timeoutMs: 60_000 }), await sandbox.tokens()]
  const calls = Array.from({ length: 64 }, () => client.confirmFunds(tokens, check()))
  await sandbox.requests(64)

  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const times = {
    stat: await slowest(100, () => stat(import.meta.filename ?? '.')),
    dns: await slowest(20, () => lookup('localhost')),
    zlib: await slowest(20, () => promisify(deflate)('funds')),
  }
  await new Promise((resolve) => setTimeout(resolve, 200))
  delay.disable()
  const p99 = delay.percentile(99) / 1e6
  assert.ok(p99 < 10, `the event loop was late by ${p99} ms (p99)`)
  // A call that held one of the four threads would hold these for as long as the bank holds its answer.
  for (const [what, took] of Object.entries(times)) {
    assert.ok(took < 500, `${what} took ${took} ms`)
  }

  await sandbox.clearFaults()
  const answers = await Promise.all(calls)
  assert.ok(answers.every((answer) => answer.available))
})

test('signing and handshakes happen on other threads', async () => {
  const sandbox = bank()
  const [client, tokens] = [sandbox.client(), await sandbox.tokens()]
  await client.confirmFunds(tokens, check())
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const cpu = process.cpuUsage()
  const main = performance.eventLoopUtilization()
  await Promise.all(Array.from({ length: 200 }, () => client.confirmFunds(tokens, check())))
  const { active } = performance.eventLoopUtilization(main)
  delay.disable()
  const { user, system } = process.cpuUsage(cpu)
  // A signature is by far the most of a call: on the event loop it would be nearly all of the time.
  assert.ok(active < (user + system) / 1000 / 2, `${active} ms of ${(user + system) / 1000} ms were on the event loop`)
})
