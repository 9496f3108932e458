// What the measured programs share: their configuration, the works and how they are measured.
//
// One measurement in a process of its own, told as a line of JSON:
//
//   PROGRAM kept-alive N      N calls, one after the other, on one kept-alive connection
//   PROGRAM new-connection N  N calls, one after the other, each on a new connection
//   PROGRAM in-flight T N     T loops with N calls each, together: T calls are in flight all the time
//   PROGRAM once              one call, then the end
//
// Two calls (of each loop; or BENCH_REHEARSALS) come before the clock starts, except for `once`. Nothing is loaded here that every program would
// not load anyway, for `once` is measured from the start of the process to its end.
'use strict'

const { readFileSync } = require('node:fs')

const REHEARSALS = Number(process.env.BENCH_REHEARSALS ?? 2)

/** The finest the event loop's delay is sampled at, in milliseconds. */
const RESOLUTION = 1

/** From the environment. Certificates and keys are paths of PEM files. */
function readConfig() {
  return JSON.parse(process.env.BENCH_SETUP)
}

/** Wall and CPU time (of all threads, user and system) since this was called, in seconds. */
function startClocks() {
  const [wall, cpu] = [performance.now(), process.cpuUsage()]
  return () => {
    const { user, system } = process.cpuUsage(cpu)
    return { wall_seconds: (performance.now() - wall) / 1e3, cpu_seconds: (user + system) / 1e6 }
  }
}

async function loop(call, calls, times = []) {
  for (let made = 0; made < calls; made += 1) {
    const started = performance.now()
    await call()
    times.push((performance.now() - started) / 1e3)
  }
}

/** Of a single call: the median, and what one in a hundred exceeds, in seconds. */
function percentiles(times) {
  const ordered = Float64Array.from(times).sort()
  const [p50_seconds, p99_seconds] = [50, 99].map((percent) => ordered[Math.floor((ordered.length * percent) / 100)])
  return { p50_seconds, p99_seconds }
}

async function alone(call, rehearsals, calls) {
  await loop(call, rehearsals)
  const times = []
  const read = startClocks()
  await loop(call, calls, times)
  return { calls, ...read(), ...percentiles(times) }
}

async function inFlight(call, loops, calls) {
  const times = []
  const all = (each) => Promise.all(Array.from({ length: loops }, () => loop(call, each, times)))
  await all(REHEARSALS)
  times.length = 0
  const delay = require('node:perf_hooks').monitorEventLoopDelay({ resolution: RESOLUTION })
  delay.enable()
  const read = startClocks()
  await all(calls)
  const clocks = read()
  delay.disable()
  // What is sampled is the time between two ticks of a timer.
  const delay_p99_ms = Math.max(0, delay.percentile(99) / 1e6 - RESOLUTION)
  return { calls: loops * calls, ...clocks, ...percentiles(times), delay_p99_ms }
}

/** The largest resident size so far, in KiB. Not `maxRSS`: Linux lets a process begin with its parent's. */
function peakMemory() {
  return Number(/VmHWM:\s*(\d+)/.exec(readFileSync('/proc/self/status', 'latin1'))[1])
}

function measure(make, [work, ...numbers]) {
  const [first, second] = numbers.map(Number)
  const side = make(readConfig(), { keeps: work !== 'new-connection' })
  switch (work) {
    case 'kept-alive':
    case 'new-connection':
      return [side, alone(side.call, REHEARSALS, first)]
    case 'in-flight':
      return [side, inFlight(side.call, first, second)]
    case 'once':
      return [side, alone(side.call, 0, 1)]
    default:
      throw new Error(`there is no work ${work}`)
  }
}

/** Runs one of the programs: `make(config, { keeps })` gives its `call`, and `resumed` and `close` where it has them. */
async function main(make) {
  const [side, measuring] = measure(make, process.argv.slice(2))
  const measured = await measuring
  // Since Node itself had started: for `once`, what loading and the call took.
  const ready_ms = performance.now() - performance.nodeTiming.bootstrapComplete
  console.log(JSON.stringify({ ...measured, ready_ms, memory_peak: peakMemory(), resumed: side.resumed?.() ?? null }))
  await side.close?.()
}

module.exports = { REHEARSALS, main }
