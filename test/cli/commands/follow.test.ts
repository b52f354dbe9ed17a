import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { CreateKeyCommand, DescribeKeyCommand, EnableKeyCommand } from '@aws-sdk/client-kms'
import { expect, test } from 'vitest'
import { variablesOf } from '../../support/command-line.ts'
import { givenStack } from '../../support/stack-client.ts'

const stack = givenStack('us-west-2')

test('Following shows each event once, as it happens', async () => {
  const kms = stack.kms()
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
  const KeyId = KeyMetadata?.Arn ?? ''
  await kms.send(new EnableKeyCommand({ KeyId }))
  const args = ['audit', 'lookup', '--follow', '--since', '1h', '--key', KeyId, '--json']
  const follower = spawn(process.execPath, ['cli/keyhold.mjs', ...args], {
    env: { ...process.env, ...variablesOf(stack, stack.credentials) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(follower, 'exit')
  const seen: string[] = []
  for await (const line of createInterface({ input: follower.stdout })) {
    seen.push(JSON.parse(line).EventName)
    // Each is made once the one before has been shown, so none was there when following began.
    if (seen.length <= 2) await kms.send(new DescribeKeyCommand({ KeyId }))
    else follower.kill('SIGINT')
  }
  expect(await ended).toEqual([null, 'SIGINT'])
  expect(seen).toEqual(['EnableKey', 'DescribeKey', 'DescribeKey'])
})
