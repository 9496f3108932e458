/** Finds the compiled part of the package. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'

import type * as Native from './native.js'

type Addon = typeof Native

/** @internal The platforms there is a package of binaries for, `@cbpii/node-<platform>`. */
export const PREBUILT = [
  'linux-x64-gnu',
  'linux-arm64-gnu',
  'linux-x64-musl',
  'linux-arm64-musl',
  'darwin-x64',
  'darwin-arm64',
  'win32-x64-msvc',
  'win32-arm64-msvc',
]

/** What may run here, as the packages of binaries are named. On Linux the C library is found out by trying. */
function platforms(): string[] {
  const { platform, arch } = process
  switch (platform) {
    case 'linux':
      return [`linux-${arch}-gnu`, `linux-${arch}-musl`]
    case 'win32':
      return [`win32-${arch}-msvc`]
    default:
      return [`${platform}-${arch}`]
  }
}

/** Where the binary may be: where a developer says, else built beside this file, else in a package of its own. */
function candidates(): string[] {
  const named = process.env['NAPI_RS_NATIVE_LIBRARY_PATH']
  if (named) {
    return [named]
  }
  return platforms().flatMap((platform) => [join(__dirname, `cbpii.${platform}.node`), `@cbpii/node-${platform}`])
}

/** The error when there is no binary: the platform, what was looked for, and the remedy. */
function missing(tried: readonly string[], cause: unknown): Error {
  const here = `${process.platform}-${process.arch}`
  const remedy = platforms().some((platform) => PREBUILT.includes(platform))
    ? 'Install cbpii again on this machine, without leaving optional dependencies out (npm install --include=optional): ' +
      'a node_modules folder that was copied from another platform lacks it.'
    : `There is no prebuilt binary for this platform (there are ${PREBUILT.join(', ')}). Build one from the sources of ` +
      'cbpii with Rust, and give its path in the environment variable NAPI_RS_NATIVE_LIBRARY_PATH.'
  const message = `cbpii found no binary that loads on ${here} with Node ${process.versions.node}. It looked for ${tried.join(
    ', ',
  )}. ${remedy}`
  return Object.assign(new Error(message, { cause }), { code: 'CBPII_BINARY_MISSING' })
}

function load(): Addon {
  const tried = candidates()
  let failure: unknown
  for (const candidate of tried) {
    if (candidate.endsWith('.node') && !existsSync(candidate)) {
      continue
    }
    try {
      return require(candidate) as Addon
    } catch (error) {
      // One that is there and does not load says more than one that is not there.
      if (failure === undefined || (error as { code?: unknown }).code !== 'MODULE_NOT_FOUND') {
        failure = error
      }
    }
  }
  throw missing(tried, failure)
}

/** @internal */
export const native: Addon = load()
