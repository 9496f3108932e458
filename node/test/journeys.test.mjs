// The journeys of tests/vectors; the end of its README says how they are read.

import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { differences, FOLDER, factsOfError, known, read, tell, textOf } from './facts.mjs'
import { Names, Scene, STEPS } from './scene.mjs'
import { Sandbox, useSandbox } from './support.mjs'

const DEFAULTS = read('journeys/defaults.json')
const JOURNEYS = readdirSync(new URL('journeys', FOLDER))
  .filter((name) => name.endsWith('.json') && name !== 'defaults.json')
  .map((name) => name.replace('.json', ''))

const shared = useSandbox()

/** The members of both: objects member by member, everything else as a whole. */
function laidOver(base, own) {
  const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value)
  const both = ([name, value]) => [name, isObject(base[name]) && isObject(value) ? { ...base[name], ...value } : value]
  return { ...base, ...Object.fromEntries(Object.entries(own).map(both)) }
}

/** A bank that starts as a journey wants it. */
function bankOf(sandbox) {
  const options = Object.entries(known(sandbox, 'bank', 'stet', 'settings'))
  const written = (value) => (typeof value === 'string' ? value : JSON.stringify(value))
  return Sandbox.start(...options.map(([name, value]) => `--${name}=${written(value)}`))
}

/** Goes through a journey. Gives back the facts of its steps, and where they are not what is expected. */
async function walk(journey, scene, names) {
  await scene.bank.reset()
  await scene.bank.control('POST', '/clock', { set: scene.now.getTime() / 1000 })
  const [steps, failures] = [[], []]
  for (const { do: what, expect = {}, ...members } of journey.steps) {
    assert.ok(what in STEPS, what)
    const run = async () => STEPS[what](scene, scene.filled(members))
    const actual = names.give(await run().catch(factsOfError))
    steps.push(actual)
    const wrong = [...differences(expect, actual)]
    failures.push(...wrong.map((difference) => `step ${steps.length} (${what}): ${difference}`))
  }
  return { steps, failures }
}

test('there are journeys', () => assert.ok(JOURNEYS.length > 0))

for (const name of JOURNEYS) {
  test(`the journey ${name}`, async () => {
    const text = textOf(`journeys/${name}.json`)
    const journey = known(laidOver(DEFAULTS, JSON.parse(text)), ...Object.keys(DEFAULTS), 'sandbox', 'steps')
    const folder = mkdtempSync(join(tmpdir(), 'cbpii-journey-'))
    const own = journey.sandbox && (await bankOf(journey.sandbox))
    try {
      const { steps, failures } = await walk(
        journey,
        new Scene(journey, own ?? shared(), folder),
        new Names(text, folder),
      )
      tell('journeys', name, { steps })
      assert.deepEqual(failures, [])
    } finally {
      await own?.close()
      rmSync(folder, { recursive: true })
    }
  })
}
