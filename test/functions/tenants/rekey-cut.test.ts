import { randomBytes, randomInt } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { CreateKeyCommand } from '@aws-sdk/client-kms'
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { afterAll, expect, test } from 'vitest'
import { asked, MODES } from '../../support/encryption-modes.ts'
import { callKeyhold } from '../../support/keyhold-client.ts'
import { type OwnStack, ownCredentials, startOwnStack } from '../../support/own-stack.ts'

const KILLS = 8
const OBJECTS = 60
const Bucket = 'ledger'

const folder = mkdtempSync(join(tmpdir(), 'keyhold-rekey-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function givenKey({ kms }: OwnStack): Promise<string> {
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
  return KeyMetadata?.Arn ?? ''
}

async function givenObjects({ s3 }: OwnStack, SSEKMSKeyId: string) {
  await s3.send(new CreateBucketCommand({ Bucket }))
  const modes = MODES.filter((mode) => mode !== 'SSE-C' && mode !== 'SSE-S3')
  const written = new Map<string, Buffer>()
  for (let at = 0; at < OBJECTS; at++) {
    const { write } = asked(modes[at % modes.length] ?? 'SSE-KMS')
    const [Key, Body] = [`object-${at}`, randomBytes(randomInt(100_000))]
    await s3.send(new PutObjectCommand({ Bucket, Key, Body, ...write, SSEKMSKeyId }))
    written.set(Key, Body)
  }
  return written
}

const call = async ({ endpoint }: OwnStack, operation: string, input: object) =>
  (await callKeyhold({ endpoint, credentials: ownCredentials }, operation, input)).body

async function expectWhole({ s3 }: OwnStack, written: ReadonlyMap<string, Buffer>): Promise<void> {
  for (const [Key, bytes] of written) {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }))
    const read = (await Body?.transformToByteArray()) ?? []
    expect(Buffer.from(read).equals(bytes), Key).toBe(true)
  }
}

test(`Killed ${KILLS} times while keys are wrapped anew, no object is lost, and the rest is done`, {
  timeout: 180_000,
}, async () => {
  let stack = await startOwnStack(folder)
  const keys = [await givenKey(stack), await givenKey(stack)]
  const written = await givenObjects(stack, keys[0] ?? '')
  let cut = 0
  for (let kill = 1; kill <= KILLS; kill++) {
    const TargetKeyId = keys[kill % 2]
    const run = call(stack, 'RekeyObjects', { Bucket, TargetKeyId }).catch(() => null)
    await setTimeout(randomInt(10, 150))
    await stack.kill()
    if ((await run) === null) cut += 1
    stack = await startOwnStack(folder)
    await expectWhole(stack, written)
  }
  expect(cut).toBeGreaterThan(0)
  const scope = { Bucket, TargetKeyId: keys[0] }
  await call(stack, 'RekeyObjects', scope)
  expect(await call(stack, 'VerifyRekey', scope)).toMatchObject({
    Checked: OBJECTS,
    Current: OBJECTS,
    Remaining: 0,
    Complete: true,
  })
  await expectWhole(stack, written)
  await stack.kill()
})
