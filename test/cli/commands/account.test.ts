import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  CreateKeyCommand,
  DisableKeyCommand,
  EncryptCommand,
  ListKeysCommand,
} from '@aws-sdk/client-kms'
import { beforeAll, expect, test } from 'vitest'
import { commandLine, variablesOf } from '../../support/command-line.ts'
import { givenStack } from '../../support/stack-client.ts'

const stack = givenStack('us-west-2')
const kms = stack.kms()
const { run } = commandLine(variablesOf(stack, stack.credentials))
const { accessKeyId, secretAccessKey } = stack.credentials
const admin = `arn:aws:iam::${stack.account}:user/admin`

let keyArn = ''
let requestId = ''

beforeAll(async () => {
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
  keyArn = KeyMetadata?.Arn ?? ''
  await kms.send(new DisableKeyCommand({ KeyId: keyArn }))
  const listed = await kms.send(new ListKeysCommand({}))
  requestId = listed.$metadata.requestId ?? ''
})

/** @returns the refusal, as the key is disabled */
const failingEncrypt = (): Promise<{ readonly $metadata: { readonly requestId?: string } }> =>
  kms
    .send(new EncryptCommand({ KeyId: keyArn, Plaintext: Buffer.from('a') }))
    .catch((error) => error)

test('One learns as whom calls are made, and where they go', async () => {
  const { code, stdout } = await run('whoami')
  expect(code).toBe(0)
  expect(stdout).toMatch(new RegExp(`^ARN +${admin}$`, 'm'))
  expect(stdout).toMatch(/^Credentials from +the environment$/m)
  expect((await run('whoami', '--json')).json()).toEqual({
    Account: stack.account,
    Arn: admin,
    UserId: expect.stringMatching(/^AIDA/),
    Endpoint: stack.endpoint,
    Region: 'us-west-2',
  })
})

test('A wrong secret is refused, and shown nowhere', async () => {
  const wrong = { accessKeyId, secretAccessKey: 'notTheSecretAccessKeyAtAll' }
  const other = commandLine(variablesOf(stack, wrong))
  for (const args of [['whoami'], ['key', 'list'], ['user', 'list'], ['audit', 'lookup']]) {
    const { code, stdout, stderr } = await other.run(...args, '--verbose')
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(
      /^keyhold: .*\((?:InvalidSignature|SignatureDoesNotMatch)\w*\)\nRequest id/,
    )
    expect(stderr).not.toContain(wrong.secretAccessKey)
  }
})

test('A profile is made from the input, and used by its name', async () => {
  const other = commandLine()
  const made = await other.runWith(
    `${accessKeyId}\n${secretAccessKey}\n`,
    ...['configure', '--profile', 'team', '--endpoint', stack.endpoint, '--region', 'us-west-2'],
  )
  expect(made).toMatchObject({ code: 0, stderr: '' })
  expect(made.stdout).not.toContain(secretAccessKey)
  const path = join(other.home, '.aws', 'credentials')
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(readFileSync(path, 'utf8')).toContain(secretAccessKey)

  const used = await other.run('whoami', '--profile', 'team', '--json')
  expect(used.json()).toMatchObject({ Arn: admin, Region: 'us-west-2', Endpoint: stack.endpoint })
})

test('What is no access key is not saved', async () => {
  const other = commandLine()
  for (const input of ['', `${accessKeyId}\n`, `akia\n${secretAccessKey}\n`]) {
    const { code, stderr } = await other.runWith(input, 'configure')
    expect(code).toBe(2)
    expect(stderr).not.toContain(secretAccessKey)
  }
  expect((await other.run('whoami')).stderr).toContain('There are no credentials')
})

test('Where a stack was started, its administrator needs to say nothing', async () => {
  const beside = commandLine()
  mkdirSync(join(beside.home, '.keyhold'))
  const env = readFileSync(join(stack.dataDir, 'env'))
  writeFileSync(join(beside.home, '.keyhold', 'env'), env, { mode: 0o600 })
  expect((await beside.run('whoami', '--json')).json()).toMatchObject({ Arn: admin })
})

test('The audit trail is looked up by key, event and user, also together', async () => {
  await failingEncrypt()
  const byKey = await run('audit', 'lookup', '--key', keyArn, '--since', '1h', '--json')
  const { Events } = byKey.json<{ Events: readonly Readonly<Record<string, string>>[] }>()
  expect(Events.map(({ EventName }) => EventName)).toEqual(
    expect.arrayContaining(['DisableKey', 'Encrypt']),
  )
  const both = await run(
    'audit',
    'lookup',
    '--key',
    keyArn,
    '--event',
    'Encrypt',
    '--user',
    'admin',
  )
  const [head = '', ...lines] = both.stdout.trimEnd().split('\n')
  expect(head).toMatch(/^Time +Event +User +Result +Resources +Event id$/)
  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatch(/ Encrypt +admin +DisabledException +key\//)
})

test('More events than asked for are said to be there', async () => {
  await kms.send(new ListKeysCommand({}))
  await kms.send(new ListKeysCommand({}))
  const { stdout } = await run('audit', 'lookup', '--event', 'ListKeys', '--limit', '1')
  const [, event, , note] = stdout.trimEnd().split('\n')
  expect(event).toContain('ListKeys')
  expect(note).toBe('There are more; --limit shows up to another number than 1.')
})

test('A call that could be made is explained by its statements', async () => {
  const allowed = await run('explain', '--as', 'admin', '--action', 'Decrypt', '--key', keyArn)
  expect(allowed).toMatchObject({ code: 0, stderr: '' })
  expect(allowed.stdout).toMatch(/^Decision +Allowed: by an identity policy$/m)
  expect(allowed.stdout).toMatch(/^IdentityPolicy AdministratorAccess #1 +Allow +yes/m)
  const call = ['explain', '--as', admin, '--action', 'kms:Decrypt', '--key', keyArn]
  const json = await run(
    ...call,
    '--context',
    'team=a',
    '--condition',
    'kms:ViaService=x',
    '--json',
  )
  expect(json.json()).toMatchObject({ Decision: 'Allowed', KeyId: keyArn, PrincipalArn: admin })
})

test('A call that was made is found by its request id and by its event id', async () => {
  const made = await failingEncrypt()
  const byRequest = await run('explain', made.$metadata.requestId ?? '')
  expect(byRequest.stdout).toMatch(/^Call +Encrypt$/m)
  expect(byRequest.stdout).toMatch(/^Then +Allowed, DisabledException$/m)
  const lookup = await run('audit', 'lookup', '--event', 'Encrypt', '--key', keyArn, '--json')
  const [event] = lookup.json<{ Events: readonly { EventId: string }[] }>().Events
  const byEvent = await run('explain', event?.EventId ?? '', '--since', '1h')
  expect(byEvent.stdout).toBe(byRequest.stdout)
})

test('A call that used no key, or that never was, is explained as such', async () => {
  expect(await run('explain', requestId)).toMatchObject({
    code: 1,
    stderr: 'keyhold: ListKeys uses no key. (InvalidInputException)\n',
  })
  const none = await run('explain', '00000000-0000-4000-8000-000000000000')
  expect(none.stderr).toMatch(/\(NoSuchEntityException\)\n$/)
})
