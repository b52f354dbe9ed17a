import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, test } from 'vitest'
import { givenStack } from '../support/stack-client.ts'

const run = promisify(execFile)
const stack = givenStack()
const folder = mkdtempSync(join(tmpdir(), 'keyhold-cli-'))
const file = (name: string): string => join(folder, name)

const env = {
  PATH: process.env.PATH,
  HOME: folder,
  AWS_ENDPOINT_URL: stack.endpoint,
  AWS_ACCESS_KEY_ID: stack.credentials.accessKeyId,
  AWS_SECRET_ACCESS_KEY: stack.credentials.secretAccessKey,
  AWS_REGION: 'us-east-1',
  AWS_DEFAULT_REGION: 'us-east-1',
}

const installed = await run('aws', ['--version']).then(
  () => true,
  () => false,
)
if (!installed) console.warn("skipped: the 'aws' command is not installed")

const aws = async (...args: readonly string[]): Promise<string> =>
  (await run('aws', args, { env, maxBuffer: 64 * 1024 * 1024 })).stdout
const awsJson = async (...args: readonly string[]) =>
  JSON.parse(await aws(...args, '--output', 'json'))

// Version 1 of the command presigns with Signature Version 2 unless told otherwise.
mkdirSync(file('.aws'))
writeFileSync(file('.aws/config'), '[default]\ns3 =\n  signature_version = s3v4\n')

afterAll(() => rmSync(folder, { recursive: true, force: true }))

test.skipIf(!installed)('the session of the README works with the aws command', async () => {
  const alias = `alias/payments-${Date.now()}`
  const bucket = `ledger-${Date.now()}`
  const secret = randomBytes(200)
  writeFileSync(file('secret.bin'), secret)

  expect((await awsJson('sts', 'get-caller-identity')).Account).toBe(stack.account)

  const { KeyMetadata } = await awsJson('kms', 'create-key', '--description', 'payments')
  await aws('kms', 'create-alias', '--alias-name', alias, '--target-key-id', KeyMetadata.KeyId)

  const plaintext = ['--plaintext', `fileb://${file('secret.bin')}`]
  const context = ['--encryption-context', 'team=payments']
  const sealed = await awsJson('kms', 'encrypt', '--key-id', alias, ...plaintext, ...context)
  writeFileSync(file('secret.blob'), Buffer.from(sealed.CiphertextBlob, 'base64'))
  const blob = ['--ciphertext-blob', `fileb://${file('secret.blob')}`]
  const opened = await awsJson('kms', 'decrypt', ...blob, ...context)
  expect(Buffer.from(opened.Plaintext, 'base64')).toEqual(secret)
  expect(opened.KeyId).toBe(KeyMetadata.Arn)

  await expect(aws('kms', 'decrypt', ...blob)).rejects.toThrow('InvalidCiphertextException')

  const dataKey = await awsJson(
    'kms',
    'generate-data-key',
    '--key-id',
    alias,
    '--key-spec',
    'AES_256',
  )
  expect(Buffer.from(dataKey.Plaintext, 'base64')).toHaveLength(32)

  const large = randomBytes(20 * 1024 * 1024 + 17)
  writeFileSync(file('large.iso'), large)
  await aws('s3', 'mb', `s3://${bucket}`)
  const sse = ['--sse', 'aws:kms', '--sse-kms-key-id', alias]
  await aws('s3', 'cp', file('large.iso'), `s3://${bucket}/`, ...sse)
  await aws('s3', 'cp', `s3://${bucket}/large.iso`, file('back.iso'))
  expect(readFileSync(file('back.iso')).equals(large)).toBe(true)
  expect(await aws('s3', 'ls', `s3://${bucket}/`)).toContain(`${large.length} large.iso`)
  const head = await awsJson('s3api', 'head-object', '--bucket', bucket, '--key', 'large.iso')
  expect(head.ServerSideEncryption).toBe('aws:kms')
  expect(head.SSEKMSKeyId).toBe(KeyMetadata.Arn)

  const { Events } = await awsJson(
    'cloudtrail',
    'lookup-events',
    '--lookup-attributes',
    'AttributeKey=EventName,AttributeValue=Decrypt',
  )
  expect(Events.length).toBeGreaterThan(1)
  expect(Events.every((event: { EventName: string }) => event.EventName === 'Decrypt')).toBe(true)

  await aws('s3', 'rb', '--force', `s3://${bucket}`)
})

test.skipIf(!installed)(
  'small objects, streams and presigned URLs work with the aws command',
  async () => {
    const bucket = `small-${Date.now()}`
    await aws('s3', 'mb', `s3://${bucket}`)
    writeFileSync(file('small.txt'), 'hello')
    await aws('s3', 'cp', file('small.txt'), `s3://${bucket}/a b/+ü.txt`)
    expect(await aws('s3', 'cp', `s3://${bucket}/a b/+ü.txt`, '-')).toBe('hello')
    const url = (await aws('s3', 'presign', `s3://${bucket}/a b/+ü.txt`)).trim()
    expect(await (await fetch(url)).text()).toBe('hello')
    await aws(
      's3',
      'sync',
      folder,
      `s3://${bucket}/sync/`,
      '--exclude',
      '*',
      '--include',
      'small.txt',
    )
    expect(await aws('s3', 'ls', '--recursive', `s3://${bucket}/`)).toMatch(/sync\/small\.txt/)
    await aws('s3', 'rm', '--recursive', `s3://${bucket}/`)
    await aws('s3', 'rb', `s3://${bucket}`)
  },
)
