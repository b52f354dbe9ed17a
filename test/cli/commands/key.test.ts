import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CreateGrantCommand, CreateKeyCommand, DescribeKeyCommand } from '@aws-sdk/client-kms'
import { expect, test } from 'vitest'
import { commandLine, variablesOf } from '../../support/command-line.ts'
import { givenStack } from '../../support/stack-client.ts'

const stack = givenStack('eu-west-1')
const kms = stack.kms()
const { home, run, runWith } = commandLine(variablesOf(stack, stack.credentials))

interface Shown {
  readonly KeyMetadata: { readonly KeyId: string; readonly Arn: string; readonly KeyState: string }
  readonly Aliases: readonly string[]
}

let made = 0
const newAlias = (): string => `alias/cli-${process.pid}-${++made}`

const stateOf = async (key: string) => {
  const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: key }))
  return KeyMetadata?.KeyState
}

test('A key is created with its alias and tags, shown, and listed', async () => {
  const alias = newAlias()
  const created = await run(
    ...['key', 'create', '--alias', alias.slice('alias/'.length), '--description', 'card numbers'],
    ...['--tag', 'team=payments', '--tag', 'empty=', '--json'],
  )
  expect(created).toMatchObject({ code: 0, stderr: '' })
  const { KeyMetadata, Aliases } = created.json<Shown>()
  expect(Aliases).toEqual([alias])

  const shown = await run('key', 'show', alias)
  expect(shown.stdout).toMatch(new RegExp(`^Key id +${KeyMetadata.KeyId}$`, 'm'))
  expect(shown.stdout).toMatch(/^Description +card numbers$/m)
  expect(shown.stdout).toMatch(/^Rotation +off$/m)

  const line = (await run('key', 'list')).stdout
    .split('\n')
    .find((each) => each.startsWith(KeyMetadata.KeyId))
  expect(line?.split(/ {2,}/)).toEqual([
    KeyMetadata.KeyId,
    alias,
    'Enabled',
    'SYMMETRIC_DEFAULT',
    'ENCRYPT_DECRYPT',
    expect.stringMatching(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
  ])
})

test('The JSON of a list has all of its pages, with dates in ISO 8601', async () => {
  await Promise.all(Array.from({ length: 3 }, () => kms.send(new CreateKeyCommand({}))))
  const { Keys } = (await run('key', 'list', '--json')).json<{
    Keys: readonly Readonly<Record<string, string>>[]
  }>()
  expect(Keys.length).toBeGreaterThanOrEqual(3)
  for (const { KeyId, KeyState, CreationDate } of Keys) {
    expect(KeyId).toMatch(/^(?:mrk-)?[0-9a-f-]+$/)
    expect(KeyState).toBeDefined()
    expect(CreationDate).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  }
})

test('A key without the alias that it was to have is named all the same', async () => {
  const { code, stdout, stderr } = await run('key', 'create', '--alias', 'aws/taken')
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  const [, keyId = ''] =
    /^keyhold: Created (\S+), but no alias\. .*Exception\)\n$/.exec(stderr) ?? []
  expect(await stateOf(keyId)).toBe('Enabled')
})

test('Keys are switched, rotated, and scheduled for deletion, by alias too', async () => {
  const alias = newAlias()
  await run('key', 'create', '--alias', alias)
  expect((await run('key', 'disable', alias)).stdout).toBe(`The key ${alias} is disabled.\n`)
  expect(await stateOf(alias)).toBe('Disabled')
  expect((await run('key', 'enable', alias)).code).toBe(0)
  expect(await stateOf(alias)).toBe('Enabled')

  expect((await run('key', 'rotate', alias, '--every', '90')).code).toBe(0)
  expect((await run('key', 'show', alias)).stdout).toMatch(/^Rotation +every 90 days, next on 2/m)
  expect((await run('key', 'rotate', alias, '--stop')).code).toBe(0)
  expect((await run('key', 'rotate', alias)).code).toBe(0)

  const scheduled = await run('key', 'schedule-deletion', alias, '--days', '7', '--yes', '--json')
  expect(scheduled.json()).toMatchObject({ KeyState: 'PendingDeletion', PendingWindowInDays: 7 })
  expect((await run('key', 'cancel-deletion', alias)).code).toBe(0)
  expect(await stateOf(alias)).toBe('Disabled')
})

test('Nothing is deleted where nobody can be asked', async () => {
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({ Description: 'precious' }))
  const { code, stderr } = await run('key', 'schedule-deletion', KeyMetadata?.KeyId ?? '')
  expect(code).toBe(2)
  expect(stderr).toContain(`Delete the key ${KeyMetadata?.Arn} (precious) in 30 days?`)
  expect(stderr).toContain('--yes')
  expect(await stateOf(KeyMetadata?.KeyId ?? '')).toBe('Enabled')
})

test('A policy is read, compared and replaced, from a file or from the input', async () => {
  const alias = newAlias()
  await run('key', 'create', '--alias', alias)
  const { stdout: before } = await run('key', 'policy', alias)
  const policy = JSON.parse(before)
  policy.Statement.push({
    Sid: 'NoDecrypt',
    Effect: 'Deny',
    Principal: '*',
    Action: 'kms:Decrypt',
    Resource: '*',
  })
  const file = join(home, 'policy.json')
  writeFileSync(file, JSON.stringify(policy))

  const diff = await run('policy', 'diff', '--key', alias, '--policy-file', file)
  expect(diff.stdout).toMatch(
    /^arn:aws:iam::111122223333:user\/admin +kms:Decrypt +allowed +denied$/m,
  )
  const same = await runWith(before, 'policy', 'diff', '--key', alias, '--policy-file', '-')
  expect(same.stdout).toBe('Nobody of the account could do more or less.\n')

  const put = await runWith(JSON.stringify(policy), 'key', 'policy', alias, '--policy-file', '-')
  expect(put).toMatchObject({ code: 0, stderr: '' })
  expect(JSON.parse((await run('key', 'policy', alias)).stdout)).toEqual(policy)
})

test('A file that is no policy is refused before anything is asked', async () => {
  const broken = await runWith('{', 'key', 'create', '--policy-file', '-')
  expect(broken).toMatchObject({ code: 1, stdout: '' })
  expect(broken.stderr).toMatch(/^keyhold: Standard input is no JSON: [^\n]*\n$/)
  const missing = await run('key', 'create', '--policy-file', 'none.json')
  expect(missing.stderr).toMatch(/^keyhold: none\.json cannot be read: ENOENT[^\n]*\n$/)
})

test('Who may use a key is listed with the statements and grants that say so', async () => {
  const alias = newAlias()
  const key = (await run('key', 'create', '--alias', alias, '--json')).json<Shown>().KeyMetadata
  const { stdout } = await run('key', 'who', alias, '--action', 'Encrypt')
  expect(stdout).toMatch(
    /^arn:aws:iam::111122223333:user\/admin +allowed +KeyPolicy .*; IdentityPolicy/m,
  )

  await kms.send(
    new CreateGrantCommand({
      KeyId: key.Arn,
      GranteePrincipal: `arn:aws:iam::${stack.account}:user/admin`,
      Operations: ['Decrypt'],
      Constraints: { EncryptionContextSubset: { team: 'payments' } },
    }),
  )
  expect((await run('key', 'grants', alias)).stdout).toMatch(
    /user\/admin +Decrypt +\{"EncryptionContextSubset":\{"team":"payments"\}\}/,
  )
})

test('Refusals are one sentence with AWS’s name, and with --verbose the request id', async () => {
  const quiet = await run('key', 'show', 'alias/none')
  const sentence = `keyhold: Alias arn:aws:kms:eu-west-1:${stack.account}:alias/none is not found. (NotFoundException)\n`
  expect(quiet).toMatchObject({ code: 1, stdout: '', stderr: sentence })
  const { stderr } = await run('key', 'show', 'alias/none', '--verbose')
  expect(stderr.slice(sentence.length)).toMatch(/^Request id: [0-9a-f-]{36}\n$/)
})
