// Many calls do not grow the memory.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

test('20,000 calls of clients and sessions do not grow the memory', { timeout: 300_000 }, async () => {
  const program = fileURLToPath(new URL('growing-program.mjs', import.meta.url))
  // With little room for young objects, V8 does not set more aside while the program runs.
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', '--max-semi-space-size=1', program])
  const grown = Number(stdout)
  assert.ok(grown < 6 * 1024 * 1024, `the memory grew by ${grown} bytes, that is ${grown / 20_000} a call`)
})
