import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { LookupEventsCommand } from '@aws-sdk/client-cloudtrail'
import {
  CreateAliasCommand,
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  EncryptCommand,
} from '@aws-sdk/client-kms'
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { afterAll, expect, test } from 'vitest'
import { type OwnStack, startOwnStack } from '../support/own-stack.ts'

const KILLS = 50
const WRITERS = 4
const BUCKET = 'ledger'
const EncryptionContext = { team: 'payments' }

const folder = mkdtempSync(join(tmpdir(), 'keyhold-kill-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What was acknowledged, and how to see that it is still there. */
interface Acknowledged {
  readonly what: string
  readonly requestId: string
  check(stack: OwnStack): Promise<void>
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
const idOf = (answer: { $metadata: { requestId?: string } }): string =>
  answer.$metadata.requestId ?? ''

async function writeKey(stack: OwnStack): Promise<Acknowledged[]> {
  const created = await stack.kms.send(new CreateKeyCommand({}))
  const KeyId = created.KeyMetadata?.KeyId
  return [
    {
      what: `key ${KeyId}`,
      requestId: idOf(created),
      async check({ kms }) {
        const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId }))
        expect(KeyMetadata?.KeyState).toBe('Enabled')
      },
    },
  ]
}

async function writeAlias(stack: OwnStack, keyId: string): Promise<Acknowledged[]> {
  const AliasName = `alias/${randomBytes(8).toString('hex')}`
  const { KeyMetadata } = await stack.kms.send(new CreateKeyCommand({}))
  const TargetKeyId = KeyMetadata?.KeyId ?? keyId
  const created = await stack.kms.send(new CreateAliasCommand({ AliasName, TargetKeyId }))
  return [
    {
      what: AliasName,
      requestId: idOf(created),
      async check({ kms }) {
        const found = await kms.send(new DescribeKeyCommand({ KeyId: AliasName }))
        expect(found.KeyMetadata?.KeyId).toBe(TargetKeyId)
      },
    },
  ]
}

async function writeCiphertext(stack: OwnStack, KeyId: string): Promise<Acknowledged[]> {
  const Plaintext = randomBytes(32)
  const sealed = await stack.kms.send(new EncryptCommand({ KeyId, Plaintext, EncryptionContext }))
  return [
    {
      what: 'a ciphertext',
      requestId: idOf(sealed),
      async check({ kms }) {
        const { CiphertextBlob } = sealed
        const opened = await kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext }))
        expect(Buffer.from(opened.Plaintext ?? []).equals(Plaintext)).toBe(true)
      },
    },
  ]
}

async function writeObject(stack: OwnStack, keyId: string): Promise<Acknowledged[]> {
  const Key = randomBytes(8).toString('hex')
  const Body = randomBytes(1 + Math.floor(Math.random() * 300_000))
  await stack.s3.send(
    new PutObjectCommand({
      Bucket: BUCKET,
      Key,
      Body,
      ServerSideEncryption: 'aws:kms',
      SSEKMSKeyId: keyId,
    }),
  )
  return [
    {
      what: `object ${Key} of ${Body.length} bytes`,
      requestId: '',
      async check({ s3 }) {
        const answer = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key }))
        const bytes = Buffer.concat(await (answer.Body as Readable).toArray())
        expect(sha256(bytes)).toBe(sha256(Body))
      },
    },
  ]
}

const WRITES = [writeKey, writeAlias, writeCiphertext, writeObject] as const

/** Writes until the process is gone, and gives what it acknowledged. */
async function writeUntilKilled(stack: OwnStack, keyId: string): Promise<Acknowledged[]> {
  const acknowledged: Acknowledged[] = []
  let alive = true
  const writer = async (first: number): Promise<void> => {
    for (let turn = first; alive; turn++) {
      const write = WRITES[turn % WRITES.length] as (typeof WRITES)[number]
      try {
        acknowledged.push(...(await write(stack, keyId)))
      } catch (error) {
        if (alive) throw error
      }
    }
  }
  const writers = Array.from({ length: WRITERS }, (_, first) => writer(first))
  await new Promise((resolve) => setTimeout(resolve, 100 + Math.random() * 300))
  alive = false
  await stack.kill()
  await Promise.all(writers)
  return acknowledged
}

/** Request ids of all records that LookupEvents gives since a time. */
async function recordedRequests(stack: OwnStack, StartTime: Date): Promise<Set<string>> {
  const recorded = new Set<string>()
  let NextToken: string | undefined
  do {
    const page = await stack.cloudTrail.send(new LookupEventsCommand({ StartTime, NextToken }))
    for (const { CloudTrailEvent } of page.Events ?? []) {
      recorded.add(JSON.parse(CloudTrailEvent ?? '{}').requestID)
    }
    NextToken = page.NextToken
  } while (NextToken !== undefined)
  return recorded
}

async function expectAll(stack: OwnStack, acknowledged: readonly Acknowledged[]): Promise<void> {
  for (const { what, check } of acknowledged) {
    await check(stack).catch((cause: unknown) => {
      throw new Error(`Lost: ${what}`, { cause })
    })
  }
}

test(`nothing that was acknowledged is lost when the process is killed ${KILLS} times`, async () => {
  let stack = await startOwnStack(folder)
  const { KeyMetadata } = await stack.kms.send(new CreateKeyCommand({}))
  const keyId = KeyMetadata?.KeyId ?? ''
  await stack.s3.send(new CreateBucketCommand({ Bucket: BUCKET }))
  const all: Acknowledged[] = []
  for (let kill = 1; kill <= KILLS; kill++) {
    const startedAt = new Date(Math.floor(Date.now() / 1000) * 1000)
    const acknowledged = await writeUntilKilled(stack, keyId)
    stack = await startOwnStack(folder)
    await expectAll(stack, acknowledged)
    const recorded = await recordedRequests(stack, startedAt)
    const silent = acknowledged.filter(
      ({ requestId }) => requestId !== '' && !recorded.has(requestId),
    )
    expect(silent.map(({ what }) => what)).toEqual([])
    all.push(...acknowledged)
  }
  await expectAll(stack, all)
  await stack.kill()
  expect(all.length).toBeGreaterThan(KILLS)
}, 600_000)
