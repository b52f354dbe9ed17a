/**
 * A first look: takes a file through the whole system, on a stack of its own that is removed
 * afterwards, and tells what happens at each step. `npm run tour -- FILE`
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdtemp, open, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join, relative } from 'node:path'
import type { Readable } from 'node:stream'
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail'
import {
  CreateAliasCommand,
  CreateKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  KMSClient,
} from '@aws-sdk/client-kms'
import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { startStack } from './stack.ts'

const ALIAS = 'alias/tour'
const BUCKET = 'tour'

let step = 0
const tell = (text: string): void => {
  step += 1
  console.log(`\n${step}. ${text}`)
}
const detail = (text: string): void => console.log(`   ${text}`)

async function sha256(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const digest = createHash('sha256')
  for await (const chunk of bytes) digest.update(chunk)
  return digest.digest('hex')
}

/** The largest file below a directory: the stored blob, in a stack that holds one object. */
async function largestFile(directory: string): Promise<{ path: string; size: number }> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  const sizes = await Promise.all(
    files.map(async ({ parentPath, name }) => {
      const path = join(parentPath, name)
      return { path, size: (await stat(path)).size }
    }),
  )
  return sizes.reduce((a, b) => (b.size > a.size ? b : a), { path: '', size: -1 })
}

/** Flips one bit in the middle of a file. */
async function damage(path: string, size: number): Promise<void> {
  const file = await open(path, 'r+')
  try {
    const at = Math.floor(size / 2)
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, at)
    await file.write(Buffer.of((buffer[0] ?? 0) ^ 1), 0, 1, at)
  } finally {
    await file.close()
  }
}

const refusalOf = (attempt: Promise<unknown>): Promise<string> =>
  attempt.then(
    () => 'nothing: it was answered',
    (error: unknown) =>
      error instanceof Error ? `${error.name}: ${error.message}` : String(error),
  )

/** @returns what to say when this is not one file that can be read */
async function whyNotShown(file: string, others: readonly string[]): Promise<string | null> {
  if (file === '') return 'Which file? npm run tour -- FILE'
  if (others.length > 0) return 'One file at a time, please: npm run tour -- FILE'
  try {
    if (!(await stat(file)).isFile()) return `${file} is not a file: npm run tour -- FILE`
    await (await open(file)).close()
    return null
  } catch (error) {
    return `${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`
  }
}

async function tour(file: string, folder: string): Promise<void> {
  const { size } = await stat(file)
  const before = await sha256(createReadStream(file))
  const key = basename(file)

  tell('Start a stack of its own, with its data in a temporary directory.')
  const stack = await startStack({ port: 0, dataDir: folder })
  const client = {
    endpoint: stack.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: stack.accessKeyId, secretAccessKey: stack.secretAccessKey },
  }
  const kms = new KMSClient(client)
  const s3 = new S3Client({ ...client, forcePathStyle: true })
  const cloudTrail = new CloudTrailClient(client)
  detail(`It listens on ${stack.endpoint}; the first tenant is account ${stack.account}.`)

  tell('Create a key and give it a name, through the AWS SDK.')
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({ Description: 'tour' }))
  await kms.send(new CreateAliasCommand({ AliasName: ALIAS, TargetKeyId: KeyMetadata?.KeyId }))
  detail(`${KeyMetadata?.Arn} is ${ALIAS}.`)
  detail("Its material is wrapped by the tenant's key, and that one is sealed by the root key.")

  tell(`Store ${key} (${size} bytes), encrypted under that key.`)
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }))
  await s3.send(
    new PutObjectCommand({
      Bucket: BUCKET,
      Key: key,
      Body: createReadStream(file),
      ContentLength: size,
      ServerSideEncryption: 'aws:kms',
      SSEKMSKeyId: ALIAS,
    }),
  )
  const blob = await largestFile(join(folder, 'blobs'))
  detail(`On the disk it is ${relative(folder, blob.path)}, ${blob.size} bytes:`)
  detail(`${size} bytes in segments of 64 KiB, each with a tag of 16 bytes.`)

  tell('Read it back.')
  const answer = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }))
  const after = await sha256(answer.Body as Readable)
  detail(`SHA-256 ${before === after ? 'is the same' : 'DIFFERS'}: ${after}`)
  if (before !== after) throw new Error('The file did not come back as it went in.')

  tell('Disable the key, and try again.')
  await kms.send(new DisableKeyCommand({ KeyId: KeyMetadata?.KeyId }))
  detail(await refusalOf(s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }))))
  await kms.send(new EnableKeyCommand({ KeyId: KeyMetadata?.KeyId }))
  await s3.send(new HeadObjectCommand({ Bucket: BUCKET, Key: key }))
  detail('Enabled again, it is served again.')

  tell('Flip one bit of what is stored, and read it once more.')
  await damage(blob.path, blob.size)
  const read = async () => {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }))
    await sha256(Body as Readable)
  }
  detail(await refusalOf(read()))
  detail('No byte of the damaged segment was given out.')

  tell('Look at the audit trail: every call is there, those of S3 to KMS too.')
  const { Events = [] } = await cloudTrail.send(new LookupEventsCommand({ MaxResults: 20 }))
  for (const { CloudTrailEvent } of Events.toReversed()) {
    const record = JSON.parse(CloudTrailEvent ?? '{}')
    const by = record.userIdentity.invokedBy ?? record.userIdentity.userName
    detail(`${record.eventTime}  ${record.eventName.padEnd(24)} ${by}  ${record.errorCode ?? ''}`)
  }
  await stack.close()
}

const [file = '', ...others] = process.argv.slice(2)
const wrong = await whyNotShown(file, others)
if (wrong !== null) {
  console.error(wrong)
  process.exit(1)
}
const folder = await mkdtemp(join(tmpdir(), 'keyhold-tour-'))
try {
  await tour(file, folder)
  console.log(`\nThe tour ends here; ${folder} is removed.`)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
} finally {
  await rm(folder, { recursive: true, force: true })
}
