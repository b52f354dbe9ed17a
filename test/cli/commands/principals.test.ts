import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { commandLine, variablesOf } from '../../support/command-line.ts'
import { givenStack } from '../../support/stack-client.ts'

const stack = givenStack()
const { home, run, runWith } = commandLine(variablesOf(stack, stack.credentials))
const DECRYPT = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 'kms:Decrypt', Resource: '*' }],
})
const TRUST = JSON.stringify({
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${stack.account}:root` },
      Action: 'sts:AssumeRole',
    },
  ],
})

const made: (readonly ['user' | 'role' | 'policy', string])[] = []
let count = 0

/** A name of this run's own; what has it is deleted in the end. */
function newName(noun: 'user' | 'role' | 'policy'): string {
  const name = `cli-${process.pid}-${++count}`
  made.push([noun, name])
  return name
}

afterAll(async () => {
  for (const [noun, name] of made) {
    const contents = noun === 'policy' ? [] : ['--with-contents']
    await run(noun, 'delete', name, ...contents, '--yes')
  }
})

const done = async (...args: readonly string[]): Promise<string> => {
  const { code, stdout, stderr } = await run(...args)
  expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: '' })
  return stdout
}

test('A user is created, shown, listed, tagged and deleted', async () => {
  const user = newName('user')
  const created = await done('user', 'create', user, '--path', '/team/', '--tag', 'team=payments')
  expect(created).toMatch(new RegExp(`^ARN +arn:aws:iam::${stack.account}:user/team/${user}$`, 'm'))
  expect(created).toMatch(/^User id +AIDA/m)
  await done('user', 'tag', user, '--tag', 'level=2')
  expect(await done('user', 'show', user)).toMatch(/^Tags +.*level=2/m)
  await done('user', 'untag', user, 'level', 'team')
  expect(await done('user', 'show', user)).not.toMatch(/^Tags/m)

  const { Users } = JSON.parse(await done('user', 'list', '--path-prefix', '/team/', '--json'))
  const listed = Users.find(({ UserName }: { UserName: string }) => UserName === user)
  expect(listed.CreateDate).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)

  expect((await run('user', 'delete', user)).code).toBe(2)
  await done('user', 'delete', user, '--yes')
  expect(await run('user', 'show', user)).toMatchObject({
    code: 1,
    stdout: '',
    stderr: `keyhold: The user with name ${user} cannot be found. (NoSuchEntityException)\n`,
  })
})

test('An access key is saved in a profile, works by it, and shows its secret nowhere else', async () => {
  const user = newName('user')
  await done('user', 'create', user)
  const created = await done('access-key', 'create', user, '--save-profile', user)
  const text = readFileSync(join(home, '.aws', 'credentials'), 'utf8')
  const secret = text.split(`[${user}]`)[1]?.match(/aws_secret_access_key = (\S+)/)?.[1] ?? ''
  expect(secret).toMatch(/^\S{40}$/)
  expect(created).not.toContain(secret)
  const who = JSON.parse(await done('whoami', '--profile', user, '--json'))
  expect(who.Arn).toBe(`arn:aws:iam::${stack.account}:user/${user}`)

  const [, id = ''] = /^Access key id +(\S+)$/m.exec(created) ?? []
  expect(await done('access-key', 'list', user)).toMatch(new RegExp(`^${id} +${user} +Active`, 'm'))
  await done('access-key', 'deactivate', id, '--user', user)
  expect((await run('whoami', '--profile', user)).code).toBe(1)
  await done('access-key', 'activate', id, '--user', user)
  await done('access-key', 'delete', id, '--user', user, '--yes')
  expect(await done('access-key', 'list', user)).toBe('There are no access keys.\n')
})

test('The secret of an access key is printed once where it is not saved', async () => {
  const user = newName('user')
  await done('user', 'create', user)
  const { AccessKey } = JSON.parse(await done('access-key', 'create', user, '--json'))
  expect(AccessKey).toMatchObject({ UserName: user, Status: 'Active' })
  const other = commandLine(
    variablesOf(stack, {
      accessKeyId: AccessKey.AccessKeyId,
      secretAccessKey: AccessKey.SecretAccessKey,
    }),
  )
  expect((await other.run('whoami')).stdout).toContain(`user/${user}`)
  expect(await done('access-key', 'list', user, '--json')).not.toContain(AccessKey.SecretAccessKey)
})

test('An inline policy is put, listed, shown and deleted', async () => {
  const user = newName('user')
  await done('user', 'create', user)
  const put = await runWith(
    DECRYPT,
    ...['policy', 'put', 'own', '--user', user, '--policy-file', '-'],
  )
  expect(put).toMatchObject({ code: 0, stderr: '' })
  expect(await done('user', 'policies', user)).toMatch(/^own +inline +-$/m)
  expect(JSON.parse(await done('policy', 'show', 'own', '--user', user))).toEqual(
    JSON.parse(DECRYPT),
  )
  await done('policy', 'delete', 'own', '--user', user, '--yes')
  expect(await done('policy', 'list', '--user', user)).toBe('There are no policies.\n')
})

test('A managed policy gets versions, is attached by its name, and deleted', async () => {
  const user = newName('user')
  const policy = newName('policy')
  await done('user', 'create', user)
  const file = ['--policy-file', '-']
  expect((await runWith(DECRYPT, 'policy', 'create', policy, ...file)).code).toBe(0)
  const denied = DECRYPT.replace('Allow', 'Deny')
  expect((await runWith(denied, 'policy', 'put', policy, ...file)).stdout).toBe(
    `The default version of ${policy} is v2.\n`,
  )
  expect(await done('policy', 'show', policy)).toContain('"Effect": "Deny"')
  expect(await done('policy', 'show', policy, '--version-id', 'v1')).toContain('"Effect": "Allow"')

  await done('policy', 'set-default', policy, 'v1')
  expect(await done('policy', 'show', policy)).toContain('"Effect": "Allow"')
  await done('policy', 'set-default', policy, 'v2')

  await done('policy', 'attach', policy, '--user', user)
  expect(await done('user', 'policies', user)).toMatch(new RegExp(`^${policy} +managed +arn:`, 'm'))
  expect(await done('policy', 'list')).toMatch(new RegExp(`^${policy} +v2 `, 'm'))
  await done('policy', 'delete', policy, '--version-id', 'v1', '--yes')
  const kept = await run('policy', 'delete', policy, '--yes')
  expect(kept.stderr).toMatch(/\(DeleteConflictException\)\n$/)
  await done('policy', 'detach', policy, '--user', user)
  await done('policy', 'delete', policy, '--yes')
  expect((await run('policy', 'show', policy)).stderr).toMatch(/\(NoSuchEntityException\)\n$/)
})

test('A user goes with its access keys and policies where that is asked for', async () => {
  const user = newName('user')
  await done('user', 'create', user)
  await done('access-key', 'create', user)
  await runWith(DECRYPT, 'policy', 'put', 'own', '--user', user, '--policy-file', '-')
  expect((await run('user', 'delete', user, '--yes')).stderr).toMatch(
    /\(DeleteConflictException\)\n$/,
  )
  await done('user', 'delete', user, '--with-contents', '--yes')
  expect((await run('user', 'show', user)).code).toBe(1)
})

test('A role is created by its trust policy, which can be shown and replaced', async () => {
  const role = newName('role')
  const create = ['role', 'create', role, '--trust-file', '-', '--description', 'deploys']
  expect((await runWith(TRUST, ...create)).stdout).toMatch(/^Description +deploys$/m)
  expect(JSON.parse(await done('role', 'trust', role))).toEqual(JSON.parse(TRUST))
  const other = TRUST.replace('sts:AssumeRole', 'sts:*')
  expect((await runWith(other, 'role', 'trust', role, '--policy-file', '-')).code).toBe(0)
  expect(JSON.parse(await done('role', 'trust', role))).toEqual(JSON.parse(other))
  expect(await done('role', 'list')).toMatch(new RegExp(`^${role} +AROA`, 'm'))
  await done('role', 'delete', role, '--yes')
})

test('A role is assumed into a profile, or into a shell', async () => {
  const role = newName('role')
  expect((await runWith(TRUST, 'role', 'create', role, '--trust-file', '-')).code).toBe(0)
  const assume = ['role', 'assume', role, '--session-name', 'me']
  const saved = await done(...assume, '--save-profile', role)
  expect(saved).toMatch(new RegExp(`^Session +arn:aws:sts::\\d{12}:assumed-role/${role}/me$`, 'm'))
  const who = JSON.parse(await done('whoami', '--profile', role, '--json'))
  expect(who.Arn).toBe(`arn:aws:sts::${stack.account}:assumed-role/${role}/me`)

  await done('role', 'revoke-sessions', role, '--yes')
  const ended = await run('whoami', '--profile', role)
  expect(ended.stderr).toMatch(/\(InvalidClientTokenId\)\n$/)

  const lines = await done(...assume, '--env')
  const variables = Object.fromEntries(
    [...lines.matchAll(/^export (\w+)='([^']*)'$/gm)].map(([, name, value]) => [name, value]),
  )
  const inShell = commandLine({ KEYHOLD_ENDPOINT: stack.endpoint, ...variables })
  expect((await inShell.run('whoami', '--json')).json()).toEqual(who)
})

test('A permissions boundary is set and removed', async () => {
  const user = newName('user')
  const policy = newName('policy')
  await done('user', 'create', user)
  await runWith(DECRYPT, 'policy', 'create', policy, '--policy-file', '-')
  const arn = `arn:aws:iam::${stack.account}:policy/${policy}`
  await done('user', 'boundary', user, arn)
  expect(await done('user', 'show', user)).toMatch(new RegExp(`^Boundary +${arn}$`, 'm'))
  await done('user', 'boundary', user, '--remove')
  expect(await done('user', 'show', user)).not.toMatch(/^Boundary/m)
  expect((await run('user', 'boundary', user)).code).toBe(2)
})
