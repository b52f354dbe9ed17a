import { once } from 'node:events'
import { access, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout } from 'node:timers/promises'
import {
  CreateAliasCommand,
  CreateKeyCommand,
  DescribeKeyCommand,
  KMSClient,
} from '@aws-sdk/client-kms'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { type StackProcess, spawnStack, startStackProcess } from '../../support/global-stack.ts'

const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'
const CREDENTIALS = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: SECRET }

let folder = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keyhold-start-'))
})

afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

/** @returns what a start that fails says, and its exit code */
async function failedStart(flags: readonly string[], variables: NodeJS.ProcessEnv = {}) {
  const started = spawnStack(flags, variables)
  const [said, printed, [code]] = await Promise.all([
    text(started.stderr),
    text(started.stdout),
    once(started, 'close'),
  ])
  return { said, printed, code }
}

async function expectOneLine(
  start: ReturnType<typeof failedStart>,
  pattern: RegExp,
): Promise<void> {
  const { said, printed, code } = await start
  expect(said).toMatch(pattern)
  expect(said).toMatch(/^keyhold: [^\n]+\n$/)
  expect([printed, code]).toEqual(['', 1])
}

/** The client adds to the credentials that it is given, so it gets some of its own. */
const clientOf = ({ endpoint }: StackProcess, credentials = CREDENTIALS): KMSClient =>
  new KMSClient({ endpoint, region: 'us-east-1', credentials: { ...credentials } })

test('A stack says how to use it and keeps the secret to the file of its owner', async () => {
  const dataDir = join(folder, 'first')
  const stack = await startStackProcess(dataDir)
  const file = await readFile(join(dataDir, 'env'), 'utf8')
  expect(file).toContain(`export AWS_ENDPOINT_URL=${stack.endpoint}\n`)
  expect(file).toContain(`export AWS_ACCESS_KEY_ID=${CREDENTIALS.accessKeyId}\n`)
  expect(file).toContain(`export AWS_SECRET_ACCESS_KEY=${SECRET}\n`)
  expect(file).toContain('export AWS_REGION=us-east-1\n')
  for (const name of ['env', 'root-key']) {
    expect((await stat(join(dataDir, name))).mode & 0o777).toBe(0o600)
  }
  const health = await fetch(`${stack.endpoint}/_keyhold/health`)
  expect([health.status, await health.json()]).toMatchObject([200, { status: 'ok' }])
  expect(stack.said()).toContain(CREDENTIALS.accessKeyId)
  expect(stack.said()).toContain('source ')
  expect(stack.said()).not.toContain(SECRET)
  expect(await stack.end()).toBe(0)
})

test('What was made is there after the next start, under credentials that were made up', async () => {
  const dataDir = join(folder, 'kept')
  const madeUp = {
    KEYHOLD_ACCOUNT_ID: '',
    KEYHOLD_ACCESS_KEY_ID: '',
    KEYHOLD_SECRET_ACCESS_KEY: '',
  }
  const credentials = async () => {
    const file = await readFile(join(dataDir, 'env'), 'utf8')
    const value = (name: string) => new RegExp(`${name}='?([^'\n]+)`).exec(file)?.[1] ?? ''
    return {
      accessKeyId: value('AWS_ACCESS_KEY_ID'),
      secretAccessKey: value('AWS_SECRET_ACCESS_KEY'),
    }
  }
  const first = await startStackProcess(dataDir, madeUp)
  const before = await credentials()
  const kms = clientOf(first, before)
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
  const alias = { AliasName: 'alias/kept', TargetKeyId: KeyMetadata?.KeyId }
  await kms.send(new CreateAliasCommand(alias))
  await first.end()

  const second = await startStackProcess(dataDir, madeUp)
  expect(await credentials()).toEqual(before)
  const found = await clientOf(second, before).send(new DescribeKeyCommand({ KeyId: 'alias/kept' }))
  expect(found.KeyMetadata?.Arn).toBe(KeyMetadata?.Arn)
  expect(await second.end()).toBe(0)
})

describe('One clear line and exit code 1 are what a start ends with', () => {
  test('on a port that is in use, before anything is made', async () => {
    const { port } = new URL(inject('stack').endpoint)
    const dataDir = join(folder, 'port')
    await expectOneLine(
      failedStart(['--port', port, '--data-dir', dataDir]),
      new RegExp(`Port ${port} of 127.0.0.1 is in use`),
    )
    await expect(access(dataDir)).rejects.toThrow('ENOENT')
  })

  test('over data that another stack has open', async () => {
    const { dataDir } = inject('stack')
    await expectOneLine(
      failedStart(['--port', '0', '--data-dir', dataDir]),
      /cannot be opened, perhaps because another Keyhold has it open/,
    )
  })

  test('in a directory that cannot be written', async () => {
    const file = join(folder, 'file')
    await writeFile(file, '')
    await expectOneLine(
      failedStart(['--port', '0', '--data-dir', join(file, 'below')]),
      /The data directory .* cannot be written \(ENOTDIR\): choose another with --data-dir/,
    )
  })

  test.each([
    ['--port', 'many'],
    ['--regions', 'mars'],
    ['--no-such-flag', 'x'],
  ])('with %s %s', async (flag, value) => {
    await expectOneLine(failedStart([flag, value]), new RegExp(flag))
  })

  test.each([
    ['KEYHOLD_CACHE_SECONDS', 'abc', /must be a number of seconds, 0 to 86400, not "abc"/],
    ['KEYHOLD_BLOB_GRACE_SECONDS', '-1', /must be a number of seconds, 0 to 86400, not "-1"/],
    ['KEYHOLD_LOG_LEVEL', 'loud', /must be one of trace/],
    ['KEYHOLD_ATTESTATION_ROOT', '/no/such/file', /cannot be read \(ENOENT\)/],
    ['KEYHOLD_ATTESTATION_ROOT', import.meta.filename, /holds none/],
  ])('with %s %s', async (variable, value, reason) => {
    const start = failedStart(['--port', '0', '--data-dir', join(folder, 'variable')], {
      [variable]: value,
    })
    await expectOneLine(start, new RegExp(`${variable} .*${reason.source}`))
  })

  test('over a root key file that is lost, damaged, open to others or of other data', async () => {
    const dataDir = join(folder, 'sealed')
    const start = () => failedStart(['--port', '0', '--data-dir', dataDir])
    const path = join(dataDir, 'root-key')
    await (await startStackProcess(dataDir)).end()
    const ours = await readFile(path)

    await rm(path)
    await expectOneLine(start(), /root-key is missing, and there is data that only it opens/)
    await expect(access(path)).rejects.toThrow('ENOENT')

    await writeFile(path, ours.with(60, (ours[60] ?? 0) ^ 1), { mode: 0o600 })
    await expectOneLine(start(), /root-key is damaged/)

    await rm(path)
    await writeFile(path, ours, { mode: 0o644 })
    await expectOneLine(start(), /root-key is open to other users/)

    const other = join(folder, 'other')
    await (await startStackProcess(other)).end()
    await rm(path)
    await writeFile(path, await readFile(join(other, 'root-key')), { mode: 0o600 })
    await expectOneLine(start(), /sealed by another root key/)

    await writeFile(path, ours)
    const stack = await startStackProcess(dataDir)
    await clientOf(stack).send(new CreateKeyCommand({}))
    expect(await stack.end()).toBe(0)
  })
})

describe('The end', () => {
  async function withCallUnderWay(name: string) {
    const dataDir = join(folder, name)
    await mkdir(dataDir)
    const stack = await startStackProcess(dataDir)
    const { port } = new URL(stack.endpoint)
    const socket = connect(Number(port), '127.0.0.1')
    socket.on('error', () => {})
    socket.write('POST / HTTP/1.1\r\nHost: h\r\nX-Amz-Target: TrentService.Encrypt\r\n')
    socket.write('Content-Length: 2\r\n\r\n{')
    await setTimeout(100)
    return { stack, socket }
  }

  test('waits for a call under way, also on SIGTERM', async () => {
    const { stack, socket } = await withCallUnderWay('waits')
    const exit = once(stack.process, 'exit')
    stack.process.kill('SIGTERM')
    await setTimeout(100)
    expect(stack.process.exitCode).toBeNull()
    const answer = text(socket)
    socket.write('}')
    expect(await answer).toContain('MissingAuthenticationTokenException')
    expect(await exit).toEqual([0, null])
  })

  test('comes at once with the second SIGINT', async () => {
    const { stack, socket } = await withCallUnderWay('at-once')
    const exit = once(stack.process, 'exit')
    stack.process.kill('SIGINT')
    await setTimeout(100)
    expect(stack.process.exitCode).toBeNull()
    stack.process.kill('SIGINT')
    expect(await exit).toEqual([130, null])
    socket.destroy()
  })
})
