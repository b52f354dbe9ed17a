/** boto3, with a session over all that its model has of KMS. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { givenStack } from '../support/stack-client.ts'

const run = promisify(execFile)
const stack = givenStack()

const missing = await run('python3', ['-c', 'import boto3, cryptography']).then(
  () => null,
  (error: Error) => error.message.trim().split('\n').at(-1),
)
if (missing !== null) {
  console.warn(`skipped: python3 with boto3 and cryptography is not installed (${missing})`)
}

test.skipIf(missing !== null)('a session of boto3 sees what it would see of AWS', async () => {
  const { stdout } = await run('python3', [join(import.meta.dirname, 'boto3-session.py')], {
    env: {
      PATH: process.env.PATH,
      AWS_ENDPOINT_URL: stack.endpoint,
      AWS_DEFAULT_REGION: stack.region,
      AWS_ACCESS_KEY_ID: stack.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: stack.credentials.secretAccessKey,
    },
  })
  const lines = stdout.trim().split('\n')
  expect(lines.at(-1)).toBe('done')
  expect(lines.filter((line) => !line.startsWith('ok '))).toEqual(['done'])
})
