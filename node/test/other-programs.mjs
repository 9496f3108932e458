// What other programs do to a SQLite file: Node 20 has no SQLite of its own, and Python's is on every machine.

import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'

const LOCK = `
import sqlite3, sys
store = sqlite3.connect(sys.argv[1], isolation_level=None)
store.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
`

/** Keeps a file locked for writing, by another process; the function that comes back ends it. */
export async function locking(path) {
  const other = spawn('python3', ['-c', LOCK, path], { stdio: ['pipe', 'pipe', 'inherit'] })
  await once(other.stdout, 'data')
  return async () => {
    other.stdin.end()
    await once(other, 'exit')
  }
}

/** Writes the version of a file's schema. */
export function setUserVersion(path, version) {
  const program = 'import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute(f"PRAGMA user_version = {sys.argv[2]}")'
  execFileSync('python3', ['-c', program, path, String(version)])
}
