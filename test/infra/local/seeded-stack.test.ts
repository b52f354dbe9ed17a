import { once } from 'node:events'
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout } from 'node:timers/promises'
import { LookupEventsCommand } from '@aws-sdk/client-cloudtrail'
import {
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  EnableKeyRotationCommand,
  EncryptCommand,
  type KMSClient,
  ListAliasesCommand,
  ListGrantsCommand,
  ListKeyRotationsCommand,
  ListKeysCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import { CreateBucketCommand, ListBucketsCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type StackProcess, spawnStack, startStackProcess } from '../../support/global-stack.ts'
import { clientsOf, type GivenStack } from '../../support/stack-client.ts'

const ADMIN = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
}
const AUDITOR = { ...ADMIN, accessKeyId: 'AKIAIOSFODNN7EXAMPLF' }
const ACCOUNT = '123456789012'
const KEY_ID = 'bc436485-5092-42b8-92a3-0aa8b93536dc'
const MATERIAL = '5cdaead27fe7da2de47945d73cd6d79e36494e73802f3cd3869f1d2cb0b5d7a9'
const NOBODY = {
  KEYHOLD_ACCOUNT_ID: '',
  KEYHOLD_ACCESS_KEY_ID: '',
  KEYHOLD_SECRET_ACCESS_KEY: '',
}

const SEED = `tenants:
  - accountId: "${ACCOUNT}"
    name: payments
    users:
      - { name: ops, accessKeyId: ${ADMIN.accessKeyId}, secretAccessKey: "${ADMIN.secretAccessKey}", administrator: true }
      - name: auditor
        accessKeyId: ${AUDITOR.accessKeyId}
        secretAccessKey: "${AUDITOR.secretAccessKey}"
        policies:
          - name: look
            document:
              Version: "2012-10-17"
              Statement: [{ Effect: Allow, Action: "kms:DescribeKey", Resource: "*" }]
    keys:
      - { keyId: ${KEY_ID}, material: ["${MATERIAL}"], aliases: [alias/testing], tags: { team: payments }, grants: [{ name: read, granteePrincipal: "arn:aws:iam::${ACCOUNT}:user/auditor", operations: [Decrypt], constraints: { encryptionContextEquals: { a: b } } }] }
      - { keyId: 1234abcd-12ab-34cd-56ef-1234567890ab, region: eu-west-1, keySpec: HMAC_256, material: ["${MATERIAL}"] }
    buckets:
      - { name: ledger }
  - accountId: "444455556666"
    name: billing
`

let folder = ''
const running: StackProcess[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keyhold-seed-'))
})

afterEach(async () => {
  for (const stack of running.splice(0)) await stack.end()
})

afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

interface SeededStack {
  readonly process: StackProcess
  readonly as: (credentials: typeof ADMIN, region?: string) => GivenStack
  post(path: string, body?: object): Promise<Response>
}

async function givenSeededStack(
  name: string,
  { seed = SEED, variables = NOBODY as NodeJS.ProcessEnv } = {},
): Promise<SeededStack> {
  const path = join(folder, `${name}.yaml`)
  await writeFile(path, seed)
  const dataDir = join(folder, name)
  const started = await startStackProcess(dataDir, { ...variables, KEYHOLD_SEED: path })
  running.push(started)
  const { endpoint } = started
  return {
    process: started,
    as: (credentials, region) =>
      clientsOf({ endpoint, account: ACCOUNT, dataDir, ...credentials }, region),
    post: (to, body) =>
      fetch(endpoint + to, {
        method: 'POST',
        body: body === undefined ? '' : JSON.stringify(body),
      }),
  }
}

/** @returns the one line that a start which fails says */
async function failedStart(name: string, seed: string, variables = {}): Promise<string> {
  const path = join(folder, `${name}.yaml`)
  await writeFile(path, seed)
  const flags = ['--port', '0', '--data-dir', join(folder, name), '--seed', path]
  const started = spawnStack(flags, { ...NOBODY, ...variables })
  const [said, [code]] = await Promise.all([text(started.stderr), once(started, 'exit')])
  expect(code).toBe(1)
  expect(said).toMatch(/^keyhold: [^\n]+\n$/)
  return said
}

const encrypted = (kms: KMSClient) =>
  kms.send(new EncryptCommand({ KeyId: 'alias/testing', Plaintext: Buffer.from('hello') }))

async function expectOpens(kms: KMSClient, CiphertextBlob: Uint8Array | undefined): Promise<void> {
  const { Plaintext } = await kms.send(new DecryptCommand({ CiphertextBlob }))
  expect(Buffer.from(Plaintext ?? []).toString()).toBe('hello')
}

describe('A seed', () => {
  test('makes tenants, users with their policies, keys, aliases and buckets', async () => {
    const stack = await givenSeededStack('made')
    expect(stack.process.said()).toContain(`account        ${ACCOUNT}`)
    expect(stack.process.said()).toContain(ADMIN.accessKeyId)
    expect(stack.process.said()).not.toContain('unsigned')
    const [kms, s3] = [stack.as(ADMIN).kms(), stack.as(ADMIN).s3()]
    const { Arn } = await stack.as(ADMIN).sts().send(new GetCallerIdentityCommand({}))
    expect(Arn).toBe(`arn:aws:iam::${ACCOUNT}:user/ops`)
    const { CiphertextBlob, KeyId } = await encrypted(kms)
    expect(KeyId).toBe(`arn:aws:kms:us-east-1:${ACCOUNT}:key/${KEY_ID}`)
    await expectOpens(kms, CiphertextBlob)
    const { Buckets = [] } = await s3.send(new ListBucketsCommand({}))
    expect(Buckets.map(({ Name }) => Name)).toEqual(['ledger'])
    const mac = await stack
      .as(ADMIN, 'eu-west-1')
      .kms()
      .send(new DescribeKeyCommand({ KeyId: '1234abcd-12ab-34cd-56ef-1234567890ab' }))
    expect(mac.KeyMetadata).toMatchObject({ KeySpec: 'HMAC_256', KeyState: 'Enabled' })

    const auditor = stack.as(AUDITOR).kms()
    await auditor.send(new DescribeKeyCommand({ KeyId: KEY_ID }))
    await expect(encrypted(auditor)).rejects.toThrow('no identity-based policy')
    const context = { EncryptionContext: { a: 'b' } }
    const granted = await kms.send(
      new EncryptCommand({ KeyId: KEY_ID, Plaintext: Buffer.from('granted'), ...context }),
    )
    const blob = { CiphertextBlob: granted.CiphertextBlob, ...context }
    await auditor.send(new DecryptCommand(blob))
    await expect(auditor.send(new DecryptCommand({ CiphertextBlob }))).rejects.toThrow('authorized')
  })

  test('that is applied twice changes nothing, and a new entry of it is added', async () => {
    const first = await givenSeededStack('twice')
    const { CiphertextBlob } = await encrypted(first.as(ADMIN).kms())
    const before = await first
      .as(ADMIN)
      .kms()
      .send(new DescribeKeyCommand({ KeyId: KEY_ID }))
    await first.process.end()

    const added = SEED.replace(
      '    buckets:',
      '      - { keyId: 0000abcd-12ab-34cd-56ef-1234567890ab }\n    buckets:',
    )
    const second = await givenSeededStack('twice', { seed: added })
    const kms = second.as(ADMIN).kms()
    const after = await kms.send(new DescribeKeyCommand({ KeyId: KEY_ID }))
    expect(after.KeyMetadata).toEqual(before.KeyMetadata)
    await expectOpens(kms, CiphertextBlob)
    const { Keys = [] } = await kms.send(new ListKeysCommand({}))
    const { Grants = [] } = await kms.send(new ListGrantsCommand({ KeyId: KEY_ID }))
    expect(Grants.map(({ Name }) => Name)).toEqual(['read'])
    expect(Keys.map(({ KeyId }) => KeyId).toSorted()).toEqual([
      '0000abcd-12ab-34cd-56ef-1234567890ab',
      KEY_ID,
    ])
  })

  test('that contradicts what is there stops the start at its line', async () => {
    await (await givenSeededStack('contradicted')).process.end()
    const otherMaterial = SEED.replace(MATERIAL, MATERIAL.replace('5c', '5d'))
    expect(await failedStart('contradicted', otherMaterial)).toMatch(
      /contradicted\.yaml:15: The key bc436485-.* has other material\./,
    )
    const otherSecret = SEED.replace(ADMIN.secretAccessKey, AUDITOR.secretAccessKey.toLowerCase())
    const said = await failedStart('contradicted', otherSecret)
    expect(said).toMatch(/:5: AKIAIOSFODNN7EXAMPLE has another secret in the data directory\./)
    expect(said).not.toContain(AUDITOR.secretAccessKey.toLowerCase())
    const otherGrant = SEED.replace('{ a: b }', '{ a: c }')
    expect(await failedStart('contradicted', otherGrant)).toMatch(
      /:15: The grant read of bc436485-.* in the data directory is another one\./,
    )
  })

  test('with a mistake stops the start before anything is made', async () => {
    const mistaken = SEED.replace('region: eu-west-1', 'region: eu-north-7')
    expect(await failedStart('mistaken', mistaken)).toMatch(
      /mistaken\.yaml:16: eu-north-7 is not served; the Regions are us-east-1, us-west-2, eu-west-1\./,
    )
    await expect(access(join(folder, 'mistaken'))).rejects.toThrow('ENOENT')
  })

  describe('with the key policy', () => {
    /** The seed, whose last tenant has a key with this policy at line 25. */
    const withPolicy = (...statements: readonly object[]): string =>
      [
        `${SEED}    users:`,
        '      - { name: clerk }',
        '    keys:',
        `      - keyId: ${KEY_ID}`,
        `        policy: ${JSON.stringify({ Version: '2012-10-17', Statement: statements })}`,
        '',
      ].join('\n')
    const allow = (AWS: string, Action = 'kms:*', difference = {}) => ({
      Effect: 'Allow',
      Principal: { AWS },
      Action,
      Resource: '*',
      ...difference,
    })
    const ROOT = 'arn:aws:iam::444455556666:root'
    const CLERK = 'arn:aws:iam::444455556666:user/clerk'
    const byClerk = { Condition: { StringEquals: { 'aws:username': 'clerk' } } }

    test.each([
      ['a user of its account', 'arn:aws:iam::444455556666:user/nobody'],
      ['a user of another one', `arn:aws:iam::${ACCOUNT}:user/clerk`],
      ['an account', 'arn:aws:iam::999988887777:root'],
    ])('that names %s whom there is not stops the start at its line', async (_, principal) => {
      const said = await failedStart('nobody', withPolicy(allow(ROOT), allow(principal)))
      expect(said).toContain(
        `nobody.yaml:25: This policy names ${principal}, and there is no such principal.`,
      )
    })

    test.each([
      ['allows nobody to change it', [allow(ROOT, 'kms:Describe*')]],
      ['allows only another account', [allow(`arn:aws:iam::${ACCOUNT}:root`)]],
      ['denies everybody', [allow(ROOT), { ...allow('*', 'kms:PutKeyPolicy'), Effect: 'Deny' }]],
      ['allows a user who has no policies through its account', [allow(ROOT, 'kms:*', byClerk)]],
    ])('that %s stops the start at its line', async (_, statements) => {
      const said = await failedStart('locked', withPolicy(...statements))
      expect(said).toContain('locked.yaml:25: This policy lets nobody of the account change it')
    })

    test.each([
      ['a user of the seed', [allow(CLERK)]],
      ['whoever the account allows', [allow(ROOT)]],
      ['a user among all', [allow('*', 'kms:*', byClerk)]],
    ])('that lets %s change it is taken', async (who, statements) => {
      await givenSeededStack(`open-${who.length}`, { seed: withPolicy(...statements) })
    })
  })

  test('that was named and is not there stops the start', async () => {
    const started = spawnStack(['--port', '0', '--seed', join(folder, 'nowhere.yaml')], NOBODY)
    const [said] = await Promise.all([text(started.stderr), once(started, 'exit')])
    expect(said).toMatch(/^keyhold: The seed file .*nowhere\.yaml cannot be read \(ENOENT\)\.\n$/)
  })

  test('goes beside a first tenant that the options name', async () => {
    const variables = { KEYHOLD_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLG' }
    const stack = await givenSeededStack('beside', { variables })
    const credentials = { ...ADMIN, accessKeyId: variables.KEYHOLD_ACCESS_KEY_ID }
    const { Account } = await stack.as(credentials).sts().send(new GetCallerIdentityCommand({}))
    expect(Account).toBe('111122223333')
    await encrypted(stack.as(ADMIN).kms())
  })

  test.each([
    [
      '999988887777',
      /^keyhold: warning: --account-id \(.*\) is 999988887777, and the seed is about /,
    ],
    [ACCOUNT, /^$/],
  ])('and options that name account %s: %s', async (account, warning) => {
    const path = join(folder, 'warned.yaml')
    await writeFile(path, SEED)
    const flags = ['--port', '0', '--data-dir', join(folder, `warned-${account}`), '--seed', path]
    const started = spawnStack([...flags, '--account-id', account], NOBODY)
    const warned = text(started.stderr)
    const exit = once(started, 'exit')
    started.stdout.once('data', () => started.kill('SIGINT'))
    expect(await warned).toMatch(warning)
    expect(await exit).toEqual([0, null])
  })

  test('of local-kms is read as it is', async () => {
    const seed = `Keys:
  Symmetric:
    Aes:
      - Metadata:
          KeyId: ${KEY_ID}
        BackingKeys:
          - ${MATERIAL}
Aliases:
  - AliasName: alias/testing
    TargetKeyId: ${KEY_ID}
`
    const dataDir = join(folder, 'local-kms')
    const stack = await givenSeededStack('local-kms', { seed })
    const file = await readFile(join(dataDir, 'env'), 'utf8')
    const value = (name: string) => new RegExp(`${name}='?([^'\n]+)`).exec(file)?.[1] ?? ''
    const credentials = {
      accessKeyId: value('AWS_ACCESS_KEY_ID'),
      secretAccessKey: value('AWS_SECRET_ACCESS_KEY'),
    }
    const { KeyId } = await encrypted(stack.as(credentials).kms())
    expect(KeyId).toBe(`arn:aws:kms:us-east-1:111122223333:key/${KEY_ID}`)
  })
})

test('An access key id that belongs to another tenant stops the start with one line', async () => {
  await (await givenSeededStack('taken')).process.end()
  const variables = {
    KEYHOLD_ACCOUNT_ID: '444455556666',
    KEYHOLD_ACCESS_KEY_ID: ADMIN.accessKeyId,
    KEYHOLD_SECRET_ACCESS_KEY: ADMIN.secretAccessKey,
  }
  expect(await failedStart('taken', 'tenants: []', variables)).toContain(
    'AKIAIOSFODNN7EXAMPLE belongs to another user in the data directory',
  )
})

describe('A reset', () => {
  test.each(['/_keyhold/reset', '/moto-api/reset'])(
    'by POST %s empties the stack back to its seed',
    async (path) => {
      const stack = await givenSeededStack(`reset${path.length}`)
      const [kms, s3] = [stack.as(ADMIN).kms(), stack.as(ADMIN).s3()]
      const { CiphertextBlob } = await encrypted(kms)
      const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
      await s3.send(new CreateBucketCommand({ Bucket: 'other' }))
      await s3.send(new PutObjectCommand({ Bucket: 'ledger', Key: 'a', Body: 'bytes' }))
      await stack.post('/_keyhold/clock', { advance: 'P1Y' })

      const answer = await stack.post(path)
      expect([answer.status, await answer.json()]).toEqual([200, { status: 'ok' }])

      const gone = kms.send(new DescribeKeyCommand({ KeyId: KeyMetadata?.KeyId }))
      await expect(gone).rejects.toThrow('does not exist')
      await expectOpens(kms, CiphertextBlob)
      const { Buckets = [] } = await s3.send(new ListBucketsCommand({}))
      expect(Buckets.map(({ Name }) => Name)).toEqual(['ledger'])
      await s3.send(new PutObjectCommand({ Bucket: 'ledger', Key: 'a', Body: 'bytes' }))
      const clock = await fetch(`${stack.process.endpoint}/_keyhold/clock`)
      expect(await clock.json()).toMatchObject({ offsetSeconds: 0 })
      const trail = await stack.as(ADMIN).cloudtrail().send(new LookupEventsCommand({}))
      const names = trail.Events?.map(({ EventName }) => EventName)
      expect(names).toContain('Decrypt')
      expect(names).not.toContain('CreateKey')
    },
  )

  test('keeps credentials that were made up, also over the next start', async () => {
    const dataDir = join(folder, 'made-up')
    const first = await startStackProcess(dataDir, NOBODY)
    running.push(first)
    const before = await readFile(join(dataDir, 'env'), 'utf8')
    expect((await fetch(`${first.endpoint}/_keyhold/reset`, { method: 'POST' })).status).toBe(200)
    await first.end()
    const second = await startStackProcess(dataDir, NOBODY)
    running.push(second)
    const after = await readFile(join(dataDir, 'env'), 'utf8')
    const credentials = (file: string) => file.split('\n').filter((line) => line.includes('_KEY'))
    expect(credentials(after)).toEqual(credentials(before))
  })

  test('that was cut short is done by the next start', async () => {
    const name = 'cut-short'
    const first = await givenSeededStack(name)
    const { KeyMetadata } = await first.as(ADMIN).kms().send(new CreateKeyCommand({}))
    await first.post('/_keyhold/clock', { advance: '30d' })
    await first.process.end()
    const kept = { account: ACCOUNT, principalId: 'AIDAEXAMPLEEXAMPLE00', ...ADMIN }
    await writeFile(join(folder, name, 'resetting'), JSON.stringify(kept))

    const second = await givenSeededStack(name)
    const kms = second.as(ADMIN).kms()
    const gone = kms.send(new DescribeKeyCommand({ KeyId: KeyMetadata?.KeyId }))
    await expect(gone).rejects.toThrow('does not exist')
    await encrypted(kms)
    await expect(access(join(folder, name, 'resetting'))).rejects.toThrow('ENOENT')
    await expect(access(join(folder, name, 'root-key'))).resolves.toBeUndefined()
    const clock = await fetch(`${second.process.endpoint}/_keyhold/clock`)
    expect(await clock.json()).toMatchObject({ offsetSeconds: 0 })
  })

  test.each([2, 15, 30, 50, 80])(
    'that dies after %i ms leaves nothing half done',
    async (delay) => {
      const name = `dies-${delay}`
      const first = await givenSeededStack(name)
      const kms = first.as(ADMIN).kms()
      const { CiphertextBlob } = await encrypted(kms)
      await kms.send(new CreateKeyCommand({}))
      const gone = once(first.process.process, 'exit')
      const reset = first.post('/_keyhold/reset').catch(() => null)
      await setTimeout(delay)
      first.process.process.kill('SIGKILL')
      await Promise.all([gone, reset])
      const begun = await access(join(folder, name, 'resetting')).then(
        () => true,
        () => false,
      )

      const second = await givenSeededStack(name)
      const { Keys = [] } = await second.as(ADMIN).kms().send(new ListKeysCommand({}))
      if (begun) expect(Keys).toHaveLength(1)
      else expect([1, 2]).toContain(Keys.length)
      await expectOpens(second.as(ADMIN).kms(), CiphertextBlob)
      await expect(access(join(folder, name, 'resetting'))).rejects.toThrow('ENOENT')
    },
  )

  test('goes well beside calls that go on', async () => {
    const stack = await givenSeededStack('busy')
    const kms = stack.as(ADMIN).kms()
    let stopped = false
    const refusals: string[] = []
    const caller = async (): Promise<number> => {
      let calls = 0
      for (; !stopped; calls++) {
        await encrypted(kms).catch((error: Error) =>
          refusals.push(`${error.name}: ${error.message}`),
        )
      }
      return calls
    }
    const callers = Promise.all([caller(), caller(), caller()])
    for (let i = 0; i < 5; i++) expect((await stack.post('/_keyhold/reset')).status).toBe(200)
    stopped = true
    expect(Math.min(...(await callers))).toBeGreaterThan(0)
    expect(refusals).toEqual([])
  })
})

describe('The clock', () => {
  test('that is moved on deletes keys when their time has come, and keeps its offset', async () => {
    const stack = await givenSeededStack('clock')
    const kms = stack.as(ADMIN).kms()
    const KeyId = KEY_ID
    const scheduled = await kms.send(
      new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }),
    )
    const early = await stack.post('/_keyhold/clock', { advance: 'P6D' })
    expect(await early.json()).toMatchObject({ offsetSeconds: 6 * 86_400, done: [] })
    await kms.send(new DescribeKeyCommand({ KeyId }))
    const late = await stack.post('/_keyhold/clock', { advance: '1d' })
    const { done } = (await late.json()) as { done: readonly { at: string }[] }
    expect(done).toMatchObject([
      { function: 'functions/schedule/delete-due-keys', result: { deleted: 1 } },
    ])
    const deletedAt = Date.parse(done[0]?.at ?? '')
    expect(deletedAt - (scheduled.DeletionDate?.getTime() ?? 0)).toBeLessThan(1000)
    await expect(kms.send(new DescribeKeyCommand({ KeyId }))).rejects.toThrow('does not exist')
    const { Aliases = [] } = await kms.send(new ListAliasesCommand({}))
    expect(Aliases.filter(({ AliasName }) => AliasName === 'alias/testing')).toEqual([])
    await stack.process.end()

    const again = await givenSeededStack('clock')
    const clock = await fetch(`${again.process.endpoint}/_keyhold/clock`)
    expect(await clock.json()).toMatchObject({ offsetSeconds: 7 * 86_400 })
    const { KeyMetadata } = await again.as(ADMIN).kms().send(new CreateKeyCommand({}))
    const ahead = (KeyMetadata?.CreationDate?.getTime() ?? 0) - Date.now()
    expect(Math.round(ahead / 86_400_000)).toBe(7)
  })

  test('that is moved on by a year rotates a key as often as it is due', async () => {
    const stack = await givenSeededStack('rotation')
    const kms = stack.as(ADMIN).kms()
    const KeyId = KEY_ID
    await kms.send(new EnableKeyRotationCommand({ KeyId, RotationPeriodInDays: 90 }))
    const answer = await stack.post('/_keyhold/clock', { advance: 'P1Y' })
    const { done } = (await answer.json()) as { done: readonly unknown[] }
    expect(done).toHaveLength(4)
    const { Rotations = [] } = await kms.send(new ListKeyRotationsCommand({ KeyId }))
    const days = Rotations.map(({ RotationDate }) =>
      Math.round(((RotationDate?.getTime() ?? 0) - Date.now()) / 86_400_000),
    )
    expect(days.toSorted((a, b) => a - b)).toEqual([90, 180, 270, 360])
  })

  test('that is moved leaves signatures and the audit trail at the real time', async () => {
    const stack = await givenSeededStack('wall')
    await stack.post('/_keyhold/clock', { now: '2031-01-01T00:00:00Z' })
    await encrypted(stack.as(ADMIN).kms())
    const { Events = [] } = await stack.as(ADMIN).cloudtrail().send(new LookupEventsCommand({}))
    const [event] = Events
    expect(Math.abs((event?.EventTime?.getTime() ?? 0) - Date.now())).toBeLessThan(60_000)
    const back = await stack.post('/_keyhold/clock', { reset: true })
    expect(await back.json()).toMatchObject({ offsetSeconds: 0 })
  })
})

describe('Unsigned calls', () => {
  const describeKey = (endpoint: string, headers = {}, KeyId = KEY_ID) =>
    fetch(endpoint, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': 'TrentService.DescribeKey',
        ...headers,
      },
      body: JSON.stringify({ KeyId }),
    })

  test('are refused unless the stack is told whose they are', async () => {
    const stack = await givenSeededStack('signed')
    const answer = await describeKey(stack.process.endpoint)
    expect(await answer.json()).toMatchObject({ __type: 'MissingAuthenticationTokenException' })
  })

  test('act as the user that the option names, and show as that user', async () => {
    const variables = { ...NOBODY, KEYHOLD_UNSIGNED_AS: `${ACCOUNT}/auditor` }
    const stack = await givenSeededStack('unsigned', { variables })
    const { endpoint } = stack.process
    expect(stack.process.said()).toContain(`unsigned calls act as ${ACCOUNT}/auditor\n`)
    expect((await describeKey(endpoint)).status).toBe(200)
    const list = await fetch(`${endpoint}/`, { headers: { accept: '*/*' } })
    expect([list.status, await list.text()]).toEqual([
      403,
      expect.stringContaining('ListAllMyBuckets'),
    ])
    const { Events = [] } = await stack.as(ADMIN).cloudtrail().send(new LookupEventsCommand({}))
    expect(JSON.parse(Events.at(-1)?.CloudTrailEvent ?? '')).toMatchObject({
      eventName: 'DescribeKey',
      userIdentity: { userName: 'auditor', accessKeyId: 'UNSIGNEDLOCALREQUEST' },
    })
  })

  test('store and read objects', async () => {
    const variables = { ...NOBODY, KEYHOLD_UNSIGNED_AS: `${ACCOUNT}/ops` }
    const stack = await givenSeededStack('unsigned', { variables })
    const object = `${stack.process.endpoint}/ledger/a`
    expect((await fetch(object, { method: 'PUT', body: 'bytes' })).status).toBe(200)
    expect(await (await fetch(object)).text()).toBe('bytes')
  })

  test.each([
    ['signed wrongly', { authorization: 'AWS4-HMAC-SHA256 Credential=a/b/c' }],
    ['made by a page', { origin: 'https://example.com' }],
    ['made by a page of the same site', { 'sec-fetch-site': 'same-origin' }],
    ['that come through a proxy', { 'x-forwarded-for': '203.0.113.9' }],
    ['with a session token', { 'x-amz-security-token': 'token' }],
  ])('%s are refused', async (_, headers) => {
    const variables = { ...NOBODY, KEYHOLD_UNSIGNED_AS: `${ACCOUNT}/auditor` }
    const stack = await givenSeededStack('unsigned', { variables })
    const answer = await describeKey(stack.process.endpoint, headers)
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({
      __type: expect.stringMatching(/MissingAuthenticationToken|IncompleteSignature/),
    })
  })

  test('of nobody stop the start, and so does a stack that others reach', async () => {
    expect(
      await failedStart('of-nobody', SEED, { KEYHOLD_UNSIGNED_AS: `${ACCOUNT}/nobody` }),
    ).toContain('there is no such user')
    const variables = { KEYHOLD_UNSIGNED_AS: `${ACCOUNT}/auditor`, KEYHOLD_HOST: '0.0.0.0' }
    expect(await failedStart('of-nobody', SEED, variables)).toContain('loopback')
  })
})
