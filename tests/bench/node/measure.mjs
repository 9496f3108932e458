// Measures the package beside the same work by hand on undici, fetch and axios, and prints a table.
//
// `tests/bench/node/run` builds everything and calls `measure.mjs CBPII_BENCH JSON_FILE`. CBPII_BENCH is the program that
// measures the Rust core, whose CPU time per call stands beside the package's.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { Sandbox } from 'cbpii/testing'

import { connectionsOpened, constantPart, QUESTION, setup } from './bank.mjs'
import { AXIOS, CBPII, FETCH, NOTHING, Runner, rustCore, UNDICI, UNDICI_ASYNC } from './rounds.mjs'
import { atLeast, atMost, Row, table } from './table.mjs'

const { REHEARSALS } = createRequire(import.meta.url)('./works.cjs')

const IN_FLIGHT = 32

const cpuPerCall = (run) => (run.cpu_seconds * 1e3) / run.calls
const timePerCall = (run) => (run.wall_seconds * 1e3) / run.calls
const throughput = (run) => run.calls / run.wall_seconds
const delay = (run) => run.delay_p99_ms
const ready = (run) => run.ready_ms
const start = (run) => run.lived * 1e3
const memory = (run) => run.memory_peak / 1024

/** Says what is being measured, while it is. */
function note(what) {
  console.error(`measuring: Node: ${what}`)
}

/** A row for each side the package is compared with; the first one names what is measured. */
function* beside(what, unit, runs, figure, targets) {
  const cbpii = runs.get(CBPII).map(figure)
  for (const [place, [side, target]] of targets.entries()) {
    const name = place === 0 ? `Node (baseline: ${side.name}): ${what}` : `  beside ${side.name}`
    yield new Row(name, unit, runs.get(side).map(figure), cbpii, target)
  }
}

/** All must send the same, or their comparison means nothing. */
async function sameRequests(sandbox, runner) {
  note('whether all send the same')
  await sandbox.settings({ recording: true })
  await sandbox.control('DELETE', '/requests')
  const sides = [CBPII, UNDICI, UNDICI_ASYNC, FETCH, AXIOS]
  for (const side of sides) {
    runner.run(side, 'once')
  }
  const seen = (await sandbox.requests()).map(constantPart)
  await sandbox.settings({ recording: false })
  if (seen.length !== sides.length || seen.some((request) => request !== seen[0])) {
    throw new Error(`the sides send different requests:\n${seen.join('\n\n')}`)
  }
}

async function keptAlive(runner, core) {
  note('CPU time per call on one kept-alive connection')
  const runs = await runner.rounds(9, [CBPII, core, UNDICI, FETCH, AXIOS], ['kept-alive', 300])
  const targets = [[core, atMost(1.2)], [UNDICI, atMost(1 / 1.6)], [FETCH, atMost(1 / 3)], [AXIOS]]
  const rows = [...beside('CPU per call, kept-alive', 'ms', runs, cpuPerCall, targets)]
  return [...rows, ...beside('the same by the clock', 'ms', runs, timePerCall, [[UNDICI], [FETCH], [AXIOS]])]
}

async function newConnections(sandbox, runner) {
  note('a new connection per call')
  await sandbox.settings({ tls_versions: '1.3' })
  let opened = await connectionsOpened(sandbox)
  /** Every call on a new connection, and the package resumes all but its first; else the sides do different work. */
  const check = async (side, run) => {
    const before = opened
    opened = await connectionsOpened(sandbox)
    const all = run.calls + REHEARSALS
    if (opened - before !== all || (side === CBPII && run.resumed !== all - 1)) {
      throw new Error(
        `${side.name}: not all connections are new and resumed: ${opened - before} opened, ${run.resumed} resumed`,
      )
    }
  }
  const runs = await runner.rounds(7, [CBPII, UNDICI, FETCH, AXIOS], ['new-connection', 100], check)
  await sandbox.settings({ tls_versions: '1.2+1.3' })
  const rows = [
    ...beside('a call on a new connection', 'ms', runs, timePerCall, [[UNDICI, atMost(1 / 3)], [FETCH], [AXIOS]]),
  ]
  return [...rows, ...beside('its CPU', 'ms', runs, cpuPerCall, [[UNDICI]])]
}

async function together(runner) {
  note(`${IN_FLIGHT} calls in flight`)
  const sides = [UNDICI, UNDICI_ASYNC, FETCH, AXIOS]
  const runs = await runner.rounds(7, [CBPII, ...sides], ['in-flight', IN_FLIGHT, 2_400 / IN_FLIGHT])
  const others = sides.slice(1).map((side) => [side])
  return [
    ...beside(`throughput, ${IN_FLIGHT} in flight`, 'calls/s', runs, throughput, [[UNDICI, atLeast(2.5)], ...others]),
    ...beside('event-loop delay p99 meanwhile', 'ms', runs, delay, [[UNDICI, atMost(1 / 5)], ...others]),
    ...beside('CPU per call meanwhile', 'ms', runs, cpuPerCall, [[UNDICI], ...others]),
    ...beside('peak memory after that', 'MiB', runs, memory, [[UNDICI], ...others]),
  ]
}

async function starts(runner) {
  note('process start to first confirmation')
  const runs = await runner.rounds(21, [CBPII, UNDICI, FETCH, AXIOS, NOTHING], ['once'])
  const targets = [[UNDICI, atMost(1 / 3)], [FETCH], [AXIOS]]
  const whole = [[UNDICI], [FETCH], [AXIOS], [NOTHING]]
  return [
    ...beside('require and first confirmation', 'ms', runs, ready, targets),
    ...beside('from starting Node to its end', 'ms', runs, start, whole),
  ]
}

async function main(cbpiiBench, jsonFile) {
  const sandbox = await Sandbox.start()
  const folder = mkdtempSync(join(tmpdir(), 'cbpii-bench-'))
  try {
    await sandbox.settings({ recording: false, signed_answers: false })
    const facts = await setup(sandbox)
    const setupFile = join(folder, 'setup.json')
    writeFileSync(setupFile, JSON.stringify(facts))
    const runner = new Runner({ ...facts, ...QUESTION })
    await sameRequests(sandbox, runner)
    const rows = [
      ...(await keptAlive(runner, rustCore(cbpiiBench, setupFile))),
      ...(await newConnections(sandbox, runner)),
      ...(await together(runner)),
      ...(await starts(runner)),
    ]
    writeFileSync(jsonFile, JSON.stringify(rows, null, 2))
    console.log(`\n${table(rows)}`)
  } finally {
    rmSync(folder, { recursive: true })
    await sandbox.close()
  }
}

await main(...process.argv.slice(2))
