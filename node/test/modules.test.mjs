// ES module and CommonJS are two doors to the same objects; the binary is found, or its absence explained.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'

import * as cbpii from 'cbpii'
import * as testing from 'cbpii/testing'

const require = createRequire(import.meta.url)
const folder = mkdtempSync(join(tmpdir(), 'cbpii-modules-'))
after(() => rmSync(folder, { recursive: true }))

test('both doors lead to the same objects', () => {
  for (const [name, module] of [
    ['cbpii', cbpii],
    ['cbpii/testing', testing],
  ]) {
    const common = require(name)
    assert.deepEqual(Object.keys(common).sort(), Object.keys(module).sort())
    for (const [member, value] of Object.entries(common)) {
      assert.equal(module[member], value)
    }
  }
  assert.throws(() => new (require('cbpii').Iban)('x'), cbpii.InvalidRequestError)
  assert.throws(() => new cbpii.Iban('x'), require('cbpii').CbpiiError)
  assert.equal(require('cbpii/package.json').name, 'cbpii')
  assert.throws(() => require('cbpii/dist/loader.js'), { code: 'ERR_PACKAGE_PATH_NOT_EXPORTED' })
})

/** What a program in CommonJS says that loads a copy of the package without its binary. */
function loading(prepare = '', env = {}) {
  const copy = join(folder, 'dist')
  rmSync(copy, { recursive: true, force: true })
  const dist = fileURLToPath(new URL('../dist', import.meta.url))
  cpSync(dist, copy, { recursive: true, filter: (path) => !path.endsWith('.node') })
  const program = `${prepare}; try { require('./dist/index.js'); console.log('loaded') } catch (error) {
    console.log(error.code, error.message, error.cause && error.cause.code) }`
  const done = spawnSync(process.execPath, ['-e', program], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, ...env },
  })
  assert.equal(done.status, 0, done.stderr)
  return done.stdout
}

test('a missing binary is explained: platform, what was looked for, remedy', () => {
  const said = loading()
  assert.match(said, /^CBPII_BINARY_MISSING cbpii found no binary that loads on \w+-\w+ with Node 2\d/)
  assert.match(said, /@cbpii\/node-/)
  assert.match(said, /npm install --include=optional/)
  assert.match(said, /MODULE_NOT_FOUND$/m)
})

test('a platform without a binary is told how to build one', () => {
  const said = loading(
    "Object.defineProperty(process, 'platform', { value: 'aix' }); Object.defineProperty(process, 'arch', { value: 'ppc64' })",
  )
  assert.match(said, /loads on aix-ppc64.*looked for .*cbpii\.aix-ppc64\.node, @cbpii\/node-aix-ppc64/)
  assert.match(said, /no prebuilt binary for this platform \(there are linux-x64-gnu, .*NAPI_RS_NATIVE_LIBRARY_PATH/)
})

test('a binary that does not load is the cause', () => {
  const broken = join(folder, 'broken.node')
  writeFileSync(broken, 'no binary')
  assert.match(loading('', { NAPI_RS_NATIVE_LIBRARY_PATH: broken }), /looked for .*broken\.node.*ERR_DLOPEN_FAILED/)
})

test('a binary may be named', () => {
  const { files } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url)))
  assert.ok(files.includes('!dist/*.node'))
  const dist = fileURLToPath(new URL('../dist', import.meta.url))
  const named = join(
    dist,
    require('node:fs')
      .readdirSync(dist)
      .find((name) => name.endsWith('.node')),
  )
  assert.match(loading('', { NAPI_RS_NATIVE_LIBRARY_PATH: named }), /^loaded/)
})
