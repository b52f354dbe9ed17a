import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateKeyCommand, DescribeKeyCommand } from '@aws-sdk/client-kms'
import { expect, test } from 'vitest'
import { variablesOf } from '../support/command-line.ts'
import { givenStack } from '../support/stack-client.ts'

const PROGRAM = join(import.meta.dirname, '../../cli/keyhold.mjs')
const stack = givenStack()
const home = mkdtempSync(join(tmpdir(), 'keyhold-terminal-'))

/** `script` of util-linux gives a process a terminal; others of that name are called otherwise. */
function hasScript(): boolean {
  try {
    return execFileSync('script', ['--version'], { encoding: 'utf8' }).includes('util-linux')
  } catch {
    return false
  }
}

/**
 * Runs the program at a terminal.
 * @param typed - all at once, as soon as `question` shows
 * @returns the exit code, and all that the terminal shows
 */
async function atTerminal(args: readonly string[], question: string, typed: string) {
  const command = [process.execPath, PROGRAM, ...args].map((each) => `'${each}'`).join(' ')
  const child = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
    env: { ...process.env, HOME: home, ...variablesOf(stack, stack.credentials) },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let shown = ''
  let waiting = true
  child.stdout.on('data', (chunk: Buffer) => {
    shown += chunk.toString()
    if (!waiting || !shown.includes(question)) return
    waiting = false
    child.stdin.write(typed)
  })
  const [code] = await once(child, 'close')
  return { code, shown }
}

test.skipIf(!hasScript())(
  'A secret does not show, not even pasted with what is before it',
  async () => {
    const secret = 'pastedSecretAccessKey/123456789+abcdefgh'
    const typed = `AKIAIOSFODNN7EXAMPLE\r${secret}\r\r\r`
    const { code, shown } = await atTerminal(['configure'], 'Access key id:', typed)
    expect({ code, shown }).toEqual({
      code: 0,
      shown: expect.stringContaining('Secret access key:'),
    })
    expect(shown).toContain('AKIAIOSFODNN7EXAMPLE')
    expect(shown).not.toContain(secret.slice(0, 8))
    expect(readFileSync(join(home, '.aws', 'credentials'), 'utf8')).toContain(`= ${secret}\n`)
  },
)

test.skipIf(!hasScript())(
  'What would hurt is done after a yes, and after nothing else',
  async () => {
    const kms = stack.kms()
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
    const KeyId = KeyMetadata?.KeyId ?? ''
    const state = async () =>
      (await kms.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata?.KeyState
    for (const answer of ['n\r', '\r', 'yo\r', '\x03', '\x04']) {
      const asked = await atTerminal(['key', 'schedule-deletion', KeyId], '[y/N]', answer)
      expect(asked).toMatchObject({ code: 1, shown: expect.stringContaining('Nothing was done.') })
      expect(await state()).toBe('Enabled')
    }
    const asked = await atTerminal(['key', 'schedule-deletion', KeyId], '[y/N]', 'y\r')
    expect(asked.code).toBe(0)
    expect(await state()).toBe('PendingDeletion')
  },
)
