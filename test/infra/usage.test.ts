import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { readFuzzOptions } from '../fuzz/options.ts'
import { Tally } from '../fuzz/tally.ts'

const PROJECT = fileURLToPath(new URL('../../', import.meta.url))

describe('A command that is called wrongly says how it is called, and ends with code 2', () => {
  test.each([
    ['test/fuzz/main.ts', ['--requests', 'abc'], '--requests must be a whole number', 'fuzz'],
    ['test/fuzz/main.ts', ['--quick'], "Unknown option '--quick'", 'fuzz'],
    ['bench/main.ts', ['--quik'], "Unknown option '--quik'", 'bench'],
    ['bench/main.ts', ['quick'], "Unexpected argument 'quick'", 'bench'],
    ['infra/package.ts', ['--stage', 'dev'], "Unknown option '--stage'", 'package'],
  ])('%s %j', async (file, args, reason, name) => {
    const run = promisify(execFile)(process.execPath, [file, ...args], { cwd: PROJECT })
    const { code, stdout, stderr } = await run.catch((error) => error)
    expect([code, stdout]).toEqual([2, ''])
    const [said, usage, ...rest] = stderr.split('\n')
    expect(said).toContain(reason)
    expect(usage).toMatch(new RegExp(`^Usage: npm run ${name}( -- |$)`))
    expect(rest).toEqual([''])
  })
})

describe('The fuzzer', () => {
  test('takes its numbers', () => {
    expect(readFuzzOptions(['--requests', '5', '--seed=7', '--connections', '2'])).toEqual({
      requests: 5,
      seed: 7,
      connections: 2,
    })
    expect(readFuzzOptions([])).toMatchObject({ requests: 100_000, connections: 16 })
  })

  test.each(['abc', '', '-1', '1.5', '0', '1e3', 'Infinity', '99999999999'])(
    'does not take %j for a number of requests',
    (text) => {
      expect(() => readFuzzOptions([`--requests=${text}`])).toThrow('must be a whole number')
    },
  )

  test('counts the operations that answered, and nothing else', () => {
    const tally = new Tally()
    tally.add('Encrypt', 200)
    tally.add('Encrypt', 'NotFoundException')
    tally.add('Decrypt', 'NotFoundException')
    tally.add('(bytes)', 400)
    expect(tally.answered).toEqual(['Encrypt', 'Decrypt'])
    expect(tally.neverSucceeded).toEqual(['Decrypt'])
    expect(tally.lines).toContain('Encrypt 200: 1')
  })
})
