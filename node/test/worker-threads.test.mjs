// Worker threads have clients of their own, and may be ended at any moment.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'

import { bareClient, check, someTokens, useSandbox } from './support.mjs'

const bank = useSandbox()
const PROGRAM = new URL('worker-program.mjs', import.meta.url)

function started(what) {
  const { issuer, endpoints } = bank()
  return new Worker(PROGRAM, { workerData: { what, issuer, endpoints } })
}

test('workers make calls beside each other', async () => {
  const workers = Array.from({ length: 3 }, () => started('answers'))
  const said = await Promise.all(workers.map((worker) => once(worker, 'message').then(([message]) => message)))
  assert.deepEqual(said, [true, true, true])
  assert.equal((await bareClient().confirmFunds(someTokens(), check())).available, true)
  await Promise.all(workers.map((worker) => worker.terminate()))
})

for (const what of ['stalled', 'transport', 'store', 'many']) {
  test(`a worker that is ended in the middle of a call does not crash the process (${what})`, async () => {
    await bank().fault('funds', 'stall', { times: null })
    for (let round = 0; round < 3; round += 1) {
      const worker = started(what)
      await once(worker, 'message')
      await worker.terminate()
    }
    await bank().clearFaults()
    assert.equal((await bareClient().confirmFunds(someTokens(), check())).available, true)
  })
}

test('a process ends while calls are under way, and when nothing is', () => {
  for (const how of ['exits', 'ends', 'leaves']) {
    const program = fileURLToPath(new URL('ending-program.mjs', import.meta.url))
    assert.equal(execFileSync(process.execPath, [program, how], { encoding: 'utf8', timeout: 20_000 }), 'ended\n')
  }
})
