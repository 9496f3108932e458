// Nothing of this package blocks the event loop, or the threads that fs and dns share.

import assert from 'node:assert/strict'
import { lookup } from 'node:dns/promises'
import { readdirSync, readFileSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { deflate } from 'node:zlib'

import { atBest, check, lasting, useSandbox } from './support.mjs'

const bank = useSandbox()

/** The slowest of many, in milliseconds. */
async function slowest(count, work) {
  let most = 0
  for (let done = 0; done < count; done += 1) {
    most = Math.max(most, await lasting(work))
  }
  return most
}

/** By how much the event loop is late while it does something, in milliseconds (99th percentile). */
async function lateness(work) {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  await work()
  delay.disable()
  return delay.percentile(99) / 1e6
}

test('64 calls that wait for the bank leave the event loop and its threads free', async () => {
  const sandbox = bank()
  await sandbox.fault('funds', 'hold', { times: null })
  const [client, tokens] = [sandbox.client({ timeoutMs: 60_000 }), await sandbox.tokens()]
  const calls = Array.from({ length: 64 }, () => client.confirmFunds(tokens, check()))
  await sandbox.requests(64)

  // A call that held one of the four threads would hold these for as long as the bank holds its answer.
  const works = { stat: () => stat('.'), dns: () => lookup('localhost'), zlib: () => promisify(deflate)('funds') }
  for (const [what, work] of Object.entries(works)) {
    const took = await atBest(10, () => slowest(20, work))
    assert.ok(took < 10, `${what} took ${took} ms`)
  }
  const p99 = await atBest(10, () => lateness(() => new Promise((resolve) => setTimeout(resolve, 300))))
  assert.ok(p99 < 10, `the event loop was late by ${p99} ms (p99)`)

  await sandbox.clearFaults()
  const answers = await Promise.all(calls)
  assert.ok(answers.every((answer) => answer.available))
})

/** The CPU time of the thread of the event loop, and of all threads, in microseconds (Linux). */
function cpuTime() {
  const main = Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[0]) / 1000
  const { user, system } = process.cpuUsage()
  return { main, all: user + system }
}

test('signing and handshakes happen on other threads', async () => {
  const sandbox = bank()
  const [client, tokens] = [sandbox.client(), await sandbox.tokens()]
  const before = cpuTime()
  await Promise.all(Array.from({ length: 200 }, () => client.confirmFunds(tokens, check())))
  const after = cpuTime()
  // The signature is by far the most of a call.
  const share = (after.main - before.main) / (after.all - before.all)
  assert.ok(share < 0.5, `${share} of the work was done on the event loop`)
})

/** The names and nicenesses of this process's threads (Linux). */
function threads() {
  return readdirSync('/proc/self/task').map((id) => {
    const [, name, rest] = readFileSync(`/proc/self/task/${id}/stat`, 'utf8').match(/\((.*)\) (.*)/)
    return { id: Number(id), name, niceness: Number(rest.split(' ')[16]) }
  })
}

test('the threads that make calls let the event loop go first', { skip: process.platform !== 'linux' }, async () => {
  const sandbox = bank()
  const [client, tokens] = [sandbox.client(), await sandbox.tokens()]
  await Promise.all(Array.from({ length: 8 }, () => client.confirmFunds(tokens, check())))
  const own = threads().find((thread) => thread.id === process.pid).niceness
  const callers = threads().filter((thread) => thread.name === 'cbpii')
  assert.ok(callers.length > 0)
  assert.ok(callers.every((thread) => thread.niceness === Math.min(19, own + 15)))
})
