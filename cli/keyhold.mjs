#!/usr/bin/env node
// Plain JavaScript on purpose: it has to start on any Node, and to find the one that reads .ts files.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const NEEDED = 24
const own = fileURLToPath(new URL('../node_modules/.bin/node', import.meta.url))
const main = fileURLToPath(new URL('main.ts', import.meta.url))

if (Number(process.versions.node.split('.')[0]) === NEEDED) {
  await import('./main.ts')
} else if (existsSync(own) && process.execPath !== own) {
  const { status, signal } = spawnSync(own, [main, ...process.argv.slice(2)], { stdio: 'inherit' })
  if (signal !== null) process.kill(process.pid, signal)
  process.exitCode = status ?? 1
} else {
  await import('../infra/require-node.mjs') // says what to do, and ends the process
}
