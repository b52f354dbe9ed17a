/**
 * Kills the process while it writes objects in every way, starts it again on the same data, and looks
 * at every name: what was acknowledged is there, whole; what was under way is there or is as it was.
 */
import { randomBytes } from 'node:crypto'
import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { CreateKeyCommand } from '@aws-sdk/client-kms'
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { callKeyhold } from '../support/keyhold-client.ts'
import { type OwnStack, ownCredentials, startOwnStack } from '../support/own-stack.ts'

const BUCKET = 'crash'
const SOURCE = 'source'
const LARGEST = 300_000

/** What a name holds: bytes, or `null` where there is no object. */
type Content = Buffer | null

interface Name {
  readonly key: string
  /** What was acknowledged last. */
  held: Content
  /** What would be there if the write under way took effect; `undefined`: nothing is under way. */
  underWay: Content | undefined
}

type Write = (
  stack: OwnStack,
  key: string,
  keyId: string,
  tell: (will: Content) => void,
) => Promise<void>

const ENCRYPTIONS = [
  () => ({}),
  (SSEKMSKeyId: string) => ({ ServerSideEncryption: 'aws:kms', SSEKMSKeyId }) as const,
  (SSEKMSKeyId: string) =>
    ({ ServerSideEncryption: 'aws:kms', SSEKMSKeyId, BucketKeyEnabled: true }) as const,
  (SSEKMSKeyId: string) => ({ ServerSideEncryption: 'aws:kms:dsse', SSEKMSKeyId }) as const,
]
const any = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)] as T
const bytes = () => randomBytes(Math.floor(Math.random() * LARGEST))

const put: Write = async ({ s3 }, Key, keyId, tell) => {
  const Body = bytes()
  tell(Body)
  await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body, ...any(ENCRYPTIONS)(keyId) }))
}

const complete: Write = async ({ s3 }, Key, keyId, tell) => {
  const at = { Bucket: BUCKET, Key }
  const begun = await s3.send(
    new CreateMultipartUploadCommand({ ...at, ...any(ENCRYPTIONS)(keyId) }),
  )
  const { UploadId } = begun
  const Body = bytes()
  const { ETag } = await s3.send(new UploadPartCommand({ ...at, UploadId, PartNumber: 3, Body }))
  tell(Body)
  const MultipartUpload = { Parts: [{ PartNumber: 3, ETag }] }
  await s3.send(new CompleteMultipartUploadCommand({ ...at, UploadId, MultipartUpload }))
}

const copyFrom =
  (source: Buffer): Write =>
  async ({ s3 }, Key, keyId, tell) => {
    tell(source)
    const CopySource = `${BUCKET}/${SOURCE}`
    const command = { Bucket: BUCKET, Key, CopySource, ...any(ENCRYPTIONS)(keyId) }
    await s3.send(new CopyObjectCommand(command))
  }

const remove: Write = async ({ s3 }, Key, _keyId, tell) => {
  tell(null)
  await s3.send(new DeleteObjectCommand({ Bucket: BUCKET, Key }))
}

export interface CrashReport {
  readonly runs: number
  /** Writes that were acknowledged. */
  readonly acknowledged: number
  /** Names with a write under way when the process was killed, and how many of those took effect. */
  readonly underWay: number
  readonly tookEffect: number
}

/**
 * @param folder - empty; holds the data of all runs
 * @throws Error naming the object that is neither what was acknowledged nor what was under way
 */
export async function crashRuns(
  folder: string,
  runs: number,
  onRun: (run: number) => void = () => {},
): Promise<CrashReport> {
  const names: Name[] = Array.from({ length: 6 }, (_, index) => ({
    key: `name-${index}`,
    held: null,
    underWay: undefined,
  }))
  const report = { runs, acknowledged: 0, underWay: 0, tookEffect: 0 }
  let stack = await startOwnStack(folder)
  const source = bytes()
  await stack.s3.send(new CreateBucketCommand({ Bucket: BUCKET }))
  await stack.s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: SOURCE, Body: source }))
  const { KeyMetadata } = await stack.kms.send(new CreateKeyCommand({}))
  const keyId = KeyMetadata?.KeyId ?? ''
  const writes = [put, put, complete, copyFrom(source), remove]
  for (let run = 1; run <= runs; run++) {
    report.acknowledged += await writeUntilKilled(stack, names, keyId, writes)
    stack = await startOwnStack(folder)
    for (const name of names) {
      if (name.underWay !== undefined) report.underWay += 1
      if (await settle(stack, name)) report.tookEffect += 1
    }
    onRun(run)
  }
  await stack.kill()
  return report
}

/** @returns how many writes were acknowledged */
async function writeUntilKilled(
  stack: OwnStack,
  names: readonly Name[],
  keyId: string,
  writes: readonly Write[],
): Promise<number> {
  let alive = true
  let acknowledged = 0
  const writer = async (name: Name): Promise<void> => {
    while (alive) {
      try {
        let will: Content | undefined
        await any(writes)(stack, name.key, keyId, (content) => {
          will = content
          name.underWay = content
        })
        if (will !== undefined) name.held = will
        name.underWay = undefined
        acknowledged += 1
      } catch (error) {
        if (alive) throw error
        return // what was under way stays so: it may have taken effect
      }
    }
  }
  const campaign = async (): Promise<void> => {
    const target = { endpoint: stack.endpoint, credentials: ownCredentials }
    while (alive) {
      await callKeyhold(target, 'RekeyObjects', { Bucket: BUCKET, TargetKeyId: keyId }).catch(
        () => {},
      )
      await sleep(20)
    }
  }
  const all = [...names.map(writer), campaign()]
  await Promise.race([sleep(100 + Math.random() * 400), ...all])
  alive = false
  await stack.kill()
  await Promise.all(all)
  return acknowledged
}

/** @returns whether the write under way took effect. @throws Error when something else is there */
async function settle({ s3 }: OwnStack, name: Name): Promise<boolean> {
  const found = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: name.key })).then(
    ({ Body }) => buffer(Body as Readable),
    (error: Error) => {
      if (error.name === 'NoSuchKey') return null
      throw new Error(`${name.key} cannot be read: ${error.message}`, { cause: error })
    },
  )
  const isSame = (content: Content | undefined): boolean =>
    content === null || content === undefined ? found === content : found?.equals(content) === true
  const tookEffect = name.underWay !== undefined && isSame(name.underWay)
  if (!tookEffect && !isSame(name.held)) {
    throw new Error(`${name.key} is neither what was acknowledged nor what was under way.`)
  }
  name.held = found
  name.underWay = undefined
  return tookEffect
}
