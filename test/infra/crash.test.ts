import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { crashRuns } from '../crash/crash-runs.ts'

const folder = mkdtempSync(join(tmpdir(), 'keyhold-crash-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('objects that were acknowledged survive kills in the middle of every kind of write', async () => {
  const { acknowledged } = await crashRuns(folder, 6)
  expect(acknowledged).toBeGreaterThan(20)
}, 120_000)
