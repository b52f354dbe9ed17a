import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { DecryptCommand, EncryptCommand } from '@aws-sdk/client-kms'
import { ListBucketsCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type StackProcess, startStackProcess } from '../../support/global-stack.ts'
import { clientsOf } from '../../support/stack-client.ts'

const README = new URL('../../../README.md', import.meta.url)
const run = promisify(execFile)

let folder = ''
let section = ''
let stack: StackProcess

/** What stands in the fences of a language. */
const blocks = (language: string): readonly string[] =>
  [...section.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 'gs'))].map(
    ([, text = '']) => text,
  )

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keyhold-readme-'))
  const readme = await readFile(README, 'utf8')
  section = /## For test suites\n(.*?)\n## /s.exec(readme)?.[1] ?? ''
  const seed = join(folder, 'keyhold.seed.yaml')
  await writeFile(seed, blocks('yaml')[0] ?? '')
  const own = { KEYHOLD_ACCOUNT_ID: '', KEYHOLD_ACCESS_KEY_ID: '', KEYHOLD_SECRET_ACCESS_KEY: '' }
  const [unsignedAs = ''] = /(?<=--unsigned-as )\S+(?=`)/.exec(section) ?? []
  const variables = { ...own, KEYHOLD_SEED: seed, KEYHOLD_UNSIGNED_AS: unsignedAs }
  stack = await startStackProcess(join(folder, 'data'), variables)
})

afterAll(async () => {
  await stack.end()
  await rm(folder, { recursive: true, force: true })
})

test('The seed of the README makes what it says', async () => {
  const clients = clientsOf({
    endpoint: stack.endpoint,
    account: '123456789012',
    dataDir: folder,
    accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
    secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  })
  const kms = clients.kms()
  const { CiphertextBlob } = await kms.send(
    new EncryptCommand({ KeyId: 'alias/testing', Plaintext: Buffer.from('hello') }),
  )
  await kms.send(new DecryptCommand({ CiphertextBlob }))
  const { Buckets = [] } = await clients.s3().send(new ListBucketsCommand({}))
  expect(Buckets.map(({ Name }) => Name)).toEqual(['ledger'])
  const unsigned = await fetch(stack.endpoint, {
    method: 'POST',
    headers: { 'x-amz-target': 'TrentService.Decrypt' },
    body: JSON.stringify({ CiphertextBlob: Buffer.from(CiphertextBlob ?? []).toString('base64') }),
  })
  expect(unsigned.status).toBe(200)
})

test('The commands of the README are answered', async () => {
  const commands = blocks('sh')[0]?.trim().split('\n') ?? []
  expect(commands).toHaveLength(5)
  const answers: string[] = []
  for (const command of commands) {
    const here = command.replace('http://127.0.0.1:4566', stack.endpoint)
    const { stdout } = await run('sh', ['-c', here.replace('curl', 'curl -sS --fail-with-body')])
    answers.push(stdout)
  }
  const [reset = '', told = '', ahead = '', put = '', right = ''] = answers
  expect(JSON.parse(reset)).toEqual({ status: 'ok' })
  expect(JSON.parse(told)).toMatchObject({ offsetSeconds: 0 })
  expect(JSON.parse(ahead).offsetSeconds).toBeGreaterThanOrEqual(365 * 86_400)
  expect(JSON.parse(put).now).toMatch(/^2031-01-31T12:00:00/)
  expect(JSON.parse(right)).toMatchObject({ offsetSeconds: 0 })
})
