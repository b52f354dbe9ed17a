import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, test } from 'vitest'

const TOUR = join(import.meta.dirname, '../../infra/local/tour.ts')
const folder = mkdtempSync(join(tmpdir(), 'keyhold-tour-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const tour = (...args: readonly string[]) => promisify(execFile)(process.execPath, [TOUR, ...args])

test('the tour takes a file in and out, and shows what is refused and what is recorded', async () => {
  const file = join(folder, 'file.bin')
  writeFileSync(file, randomBytes(300_000))
  const { stdout } = await tour(file)
  expect(stdout).toContain('SHA-256 is the same')
  expect(stdout).toContain('KMS.DisabledException')
  expect(stdout).toMatch(/Flip one bit[^\n]+\n +(?!nothing)/)
  expect(stdout).toMatch(/GenerateDataKey +s3\.amazonaws\.com/)
})

test.each([
  [[folder], `${folder} is not a file: npm run tour -- FILE\n`],
  [[join(folder, 'absent')], `${join(folder, 'absent')} cannot be read (ENOENT).\n`],
  [['a', 'b'], 'One file at a time, please: npm run tour -- FILE\n'],
])('the tour says what is wrong with %j', async (files, stderr) => {
  await expect(tour(...files)).rejects.toMatchObject({ code: 1, stdout: '', stderr })
})

test('the tour asks for a file when it gets none', async () => {
  await expect(tour()).rejects.toMatchObject({
    code: 1,
    stderr: 'Which file? npm run tour -- FILE\n',
  })
})
