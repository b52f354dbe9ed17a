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

// Version 1 of the command presigns with Signature Version 2 unless told otherwise.
mkdirSync(file('.aws'))
writeFileSync(file('.aws/config'), '[default]\ns3 =\n  signature_version = s3v4\n')

afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The commands of the README's session, as they stand there. */
function sessionOfReadme(): readonly string[] {
  const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8')
  const block = /```sh\nsource [^\n]+\n([^`]+)```/.exec(readme)?.[1]
  return (block ?? '').trim().split('\n')
}

/** Runs a command line in the folder, as a reader's shell does. */
const shell = async (line: string): Promise<string> =>
  (await run('bash', ['-e', '-o', 'pipefail', '-c', line], { env, cwd: folder })).stdout

test.skipIf(!installed)('the session of the README works word for word', async () => {
  const secret = randomBytes(200)
  writeFileSync(file('secret.bin'), secret)
  writeFileSync(file('large.iso'), randomBytes(20 * 1024 * 1024 + 17))
  const outputs = new Map<string, string>()
  let keyId = ''
  for (const line of sessionOfReadme()) {
    const output = await shell(line.replace('KEY_ID', keyId))
    outputs.set(line.split(' ').slice(0, 3).join(' '), output)
    if (line.startsWith('aws kms create-key')) keyId = JSON.parse(output).KeyMetadata.KeyId
  }
  const answer = (command: string) => JSON.parse(outputs.get(command) ?? '')
  expect(answer('aws sts get-caller-identity').Account).toBe(stack.account)
  expect(Buffer.from(answer('aws kms decrypt').Plaintext, 'base64')).toEqual(secret)
  expect(Buffer.from(answer('aws kms generate-data-key').Plaintext, 'base64')).toHaveLength(32)
  expect(outputs.has('cmp large.iso back.iso')).toBe(true)
  const { Events } = answer('aws cloudtrail lookup-events')
  expect(Events.length).toBeGreaterThan(0)
  expect(new Set(Events.map((event: { EventName: string }) => event.EventName))).toEqual(
    new Set(['Decrypt']),
  )
  await expect(shell('aws kms decrypt --ciphertext-blob fileb://secret.blob')).rejects.toThrow(
    'InvalidCiphertextException',
  )
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
