/**
 * Clients of S3 that others wrote, each in every way of encryption that it can ask for: in, out, in
 * parts, a range, a copy. Those that are not installed are named and left out.
 */
import { execFile } from 'node:child_process'
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { CreateKeyCommand } from '@aws-sdk/client-kms'
import { HeadObjectCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { allowCustomerKeys } from '../support/encryption-modes.ts'
import { givenBucket } from '../support/s3.ts'
import { givenStack } from '../support/stack-client.ts'

const run = promisify(execFile)
const stack = givenStack()
const s3 = stack.s3()
const folder = mkdtempSync(join(tmpdir(), 'keyhold-s3-clients-'))
const file = (name: string): string => join(folder, name)
const env = {
  PATH: process.env.PATH,
  HOME: folder,
  AWS_ENDPOINT_URL: stack.endpoint,
  AWS_ACCESS_KEY_ID: stack.credentials.accessKeyId,
  AWS_SECRET_ACCESS_KEY: stack.credentials.secretAccessKey,
  AWS_DEFAULT_REGION: stack.region,
}

const has = async (program: string, ...args: string[]): Promise<boolean> => {
  const found = await run(program, args).then(
    () => true,
    () => false,
  )
  if (!found) console.warn(`skipped: ${program} ${args.join(' ')} does not run here`)
  return found
}
const installed = {
  aws: await has('aws', '--version'),
  boto3: await has('python3', '-c', 'import boto3'),
  rclone: await has('rclone', 'version'),
  s3cmd: await has('s3cmd', '--version'),
}

const SIZES = { small: 1000, large: 20 * 1024 * 1024 + 17 }
let Bucket: string
let keyId: string
beforeAll(async () => {
  Bucket = await givenBucket(s3)
  await allowCustomerKeys(s3, Bucket)
  keyId = (await stack.kms().send(new CreateKeyCommand({}))).KeyMetadata?.Arn ?? ''
  for (const [name, size] of Object.entries(SIZES)) writeFileSync(file(name), randomBytes(size))
  mkdirSync(file('.aws'))
  writeFileSync(file('.aws/config'), '[default]\ns3 =\n  signature_version = s3v4\n')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const customer = randomBytes(32)
const isSame = (one: string, other: string): boolean =>
  readFileSync(file(one)).equals(readFileSync(file(other)))
const exec = async (program: string, ...args: readonly string[]): Promise<string> =>
  (await run(program, args, { env, cwd: folder, maxBuffer: 64 * 1024 * 1024 })).stdout

/** How an object is encrypted, as the service tells it. */
async function modeOf(Key: string, isCustomers = false): Promise<string | undefined> {
  const trio = {
    SSECustomerAlgorithm: 'AES256',
    SSECustomerKey: customer.toString('base64'),
    SSECustomerKeyMD5: createHash('md5').update(customer).digest('base64'),
  }
  const head = await s3.send(new HeadObjectCommand({ Bucket, Key, ...(isCustomers ? trio : {}) }))
  return isCustomers ? head.SSECustomerAlgorithm && 'SSE-C' : head.ServerSideEncryption
}

describe.skipIf(!installed.aws)('the aws command', () => {
  writeFileSync(file('customer.key'), customer)
  const kms = () => ['--sse', 'aws:kms', '--sse-kms-key-id', keyId]
  const ownKey = ['--sse-c', 'AES256', '--sse-c-key', 'fileb://customer.key']
  const ownSource = [
    '--sse-c-copy-source',
    'AES256',
    '--sse-c-copy-source-key',
    'fileb://customer.key',
  ]
  test.each<[string, string, () => readonly string[], readonly string[], readonly string[]]>([
    ['SSE-S3', 'AES256', () => ['--sse', 'AES256'], [], []],
    ['SSE-KMS', 'aws:kms', kms, [], []],
    ['SSE-C', 'SSE-C', () => ownKey, ownKey, ownSource],
  ])(
    'copies files in and out and across under %s',
    async (mode, told, write, read, source) => {
      for (const size of Object.keys(SIZES)) {
        const [Key, copied] = [randomUUID(), randomUUID()]
        const at = (name: string) => `s3://${Bucket}/${name}`
        await exec('aws', 's3', 'cp', size, at(Key), ...write())
        expect(await modeOf(Key, mode === 'SSE-C')).toBe(told)
        await exec('aws', 's3', 'cp', at(Key), 'back', ...read)
        expect(isSame('back', size)).toBe(true)
        await exec('aws', 's3', 'cp', at(Key), at(copied), ...write(), ...source)
        await exec('aws', 's3', 'cp', at(copied), 'back', ...read)
        expect(isSame('back', size)).toBe(true)
      }
    },
    120_000,
  )

  test('keeps a directory in line, and gives ranges and URLs', async () => {
    mkdirSync(file('tree/deep'), { recursive: true })
    for (const name of ['tree/a', 'tree/b ü', 'tree/deep/c']) writeFileSync(file(name), name)
    await exec('aws', 's3', 'sync', 'tree', `s3://${Bucket}/tree`, ...kms())
    await exec('aws', 's3', 'sync', `s3://${Bucket}/tree`, 'again')
    expect(readFileSync(file('again/deep/c'), 'utf8')).toBe('tree/deep/c')
    expect(readFileSync(file('again/b ü'), 'utf8')).toBe('tree/b ü')
    const object = ['--bucket', Bucket, '--key', 'tree/a']
    await exec('aws', 's3api', 'get-object', ...object, '--range', 'bytes=2-4', 'range')
    expect(readFileSync(file('range'), 'utf8')).toBe('ee/')
    const url = (await exec('aws', 's3', 'presign', `s3://${Bucket}/tree/a`)).trim()
    expect(await (await fetch(url)).text()).toBe('tree/a')
    await exec('aws', 's3', 'rm', '--recursive', `s3://${Bucket}/tree`)
    expect(await exec('aws', 's3', 'ls', `s3://${Bucket}/tree/`).catch(() => '')).toBe('')
  }, 120_000)
})

describe.skipIf(!installed.boto3)('boto3', () => {
  test('works in every way of encryption', async () => {
    const script = join(import.meta.dirname, 'boto3-s3.py')
    const { stdout } = await run('python3', [script, Bucket, keyId], { env, cwd: folder })
    const lines = stdout.trim().split('\n')
    expect(lines.filter((line) => !line.startsWith('ok '))).toEqual(['done'])
    expect(lines.length).toBeGreaterThan(30)
  }, 120_000)
})

// It sends keys of callers over TLS only, which the local stack does not speak.
describe.skipIf(!installed.rclone)('rclone', () => {
  const remote = (...options: readonly string[]): string =>
    [
      ':s3,provider=Other,env_auth=true,region=us-east-1,force_path_style=true',
      `endpoint="${stack.endpoint}"`,
      ...options,
    ].join(',')
  test.each<[string, string, () => readonly string[]]>([
    ['SSE-S3', 'AES256', () => []],
    ['SSE-KMS', 'aws:kms', () => ['server_side_encryption="aws:kms"', `sse_kms_key_id="${keyId}"`]],
  ])(
    'copies, checks and moves under %s',
    async (mode, told, options) => {
      const where = `${remote(...options())}:${Bucket}`
      for (const size of Object.keys(SIZES)) {
        const [Key, moved] = [randomUUID(), randomUUID()]
        const cutoff = ['--s3-upload-cutoff', '6M', '--s3-chunk-size', '5M']
        await exec('rclone', 'copyto', size, `${where}/${Key}`, ...cutoff)
        expect(await modeOf(Key, mode === 'SSE-C')).toBe(told)
        await exec('rclone', 'moveto', `${where}/${Key}`, `${where}/${moved}`)
        await exec('rclone', 'copyto', `${where}/${moved}`, 'back')
        expect(isSame('back', size)).toBe(true)
      }
    },
    120_000,
  )
})

describe.skipIf(!installed.s3cmd)('s3cmd', () => {
  test.each<[string, string, () => readonly string[]]>([
    ['SSE-S3', 'AES256', () => ['--server-side-encryption']],
    [
      'SSE-KMS',
      'aws:kms',
      () => ['--server-side-encryption', '--server-side-encryption-kms-id', keyId],
    ],
  ])(
    'puts and gets under %s',
    async (_mode, told, options) => {
      const { host } = new URL(stack.endpoint)
      const s3cmd = (...args: readonly string[]) =>
        exec(
          's3cmd',
          '--no-ssl',
          `--host=${host}`,
          `--host-bucket=${host}`,
          '--region=us-east-1',
          `--access_key=${stack.credentials.accessKeyId}`,
          `--secret_key=${stack.credentials.secretAccessKey}`,
          ...args,
        )
      for (const size of Object.keys(SIZES)) {
        const at = `s3://${Bucket}/${randomUUID()}`
        await s3cmd('put', '--multipart-chunk-size-mb=5', ...options(), size, at)
        expect(await modeOf(at.split('/').at(-1) ?? '')).toBe(told)
        await s3cmd('get', '--force', at, 'back')
        expect(isSame('back', size)).toBe(true)
      }
    },
    120_000,
  )
})
