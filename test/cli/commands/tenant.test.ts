import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CreateKeyCommand, ListGrantsCommand } from '@aws-sdk/client-kms'
import { beforeAll, expect, test } from 'vitest'
import { commandLine, variablesOf } from '../../support/command-line.ts'
import { givenStack } from '../../support/stack-client.ts'

const stack = givenStack()
const local = commandLine()
const { run } = local

beforeAll(() => {
  mkdirSync(join(local.home, '.keyhold'))
  for (const name of ['env', 'operator.env']) {
    const text = readFileSync(join(stack.dataDir, name))
    writeFileSync(join(local.home, '.keyhold', name), text, { mode: 0o600 })
  }
})

interface TenantJson {
  readonly Tenant: { readonly AccountId: string; readonly Status: string; readonly Name: string }
}

const newTenant = async (name: string): Promise<string> =>
  (await run('tenant', 'create', name, '--json')).json<TenantJson>().Tenant.AccountId

const statusOf = async (account: string): Promise<string> =>
  (await run('tenant', 'show', account, '--json')).json<TenantJson>().Tenant.Status

test('On a local stack tenants are made as its operator, with an administrator who can sign in', async () => {
  const created = await run('tenant', 'create', 'billing', '--save-profile', 'billing')
  expect(created).toMatchObject({ code: 0, stderr: '' })
  const secret = /aws_secret_access_key = (\S+)/.exec(
    readFileSync(join(local.home, '.aws', 'credentials'), 'utf8'),
  )?.[1]
  expect(secret).toMatch(/^\S{40}$/)
  expect(created.stdout).not.toContain(secret)
  const [, account] = /^Account id +(\d{12})$/m.exec(created.stdout) ?? []
  const signedIn = await run('whoami', '--profile', 'billing', '--json')
  expect(signedIn.json()).toMatchObject({
    Account: account,
    Arn: `arn:aws:iam::${account}:user/admin`,
  })
})

test('The secret of an administrator is shown once where it is not saved', async () => {
  const created = await run('tenant', 'create', 'shown', '--administrator', 'ada')
  expect(created.stdout).toMatch(/^Administrator +arn:aws:iam::\d{12}:user\/ada$/m)
  const [, secret = ''] = /^Secret access key +(\S{40})$/m.exec(created.stdout) ?? []
  const [, accessKeyId = ''] = /^Access key id +(\S+)$/m.exec(created.stdout) ?? []
  const ada = commandLine(variablesOf(stack, { accessKeyId, secretAccessKey: secret }))
  expect((await ada.run('whoami')).stdout).toContain('user/ada')
})

test('A profile that holds an access key is not written over unasked', async () => {
  await run('tenant', 'create', 'first', '--save-profile', 'kept')
  const before = readFileSync(join(local.home, '.aws', 'credentials'), 'utf8')
  const again = await run('tenant', 'create', 'second', '--save-profile', 'kept')
  expect(again.code).toBe(2)
  expect(again.stderr).toContain('--yes')
  expect(readFileSync(join(local.home, '.aws', 'credentials'), 'utf8')).toBe(before)
  expect((await run('tenant', 'list')).stdout).not.toMatch(/ second /)
})

test('The quotas of a tenant are shown, set, and set back', async () => {
  const account = await newTenant('limited')
  const set = await run('tenant', 'set-quota', account, 'kms:CreateKey', '--rate', '20')
  expect(set.stdout).toBe(`kms:CreateKey of the tenant ${account}: 20/s.\n`)
  expect((await run('tenant', 'quotas', account)).stdout).toMatch(/^kms:CreateKey +20\/s +yes/m)
  const back = await run('tenant', 'set-quota', account, 'kms:CreateKey')
  expect(back.stdout).toBe(`kms:CreateKey of the tenant ${account}: not limited.\n`)
})

test('A tenant is listed, suspended, resumed, deleted and kept', async () => {
  const account = await newTenant('moving')
  const { stdout } = await run('tenant', 'list')
  expect(stdout).toMatch(new RegExp(`^${account} +moving +team +Active `, 'm'))

  expect((await run('tenant', 'suspend', account)).code).toBe(2)
  expect(await statusOf(account)).toBe('Active')
  expect((await run('tenant', 'suspend', account, '--yes')).code).toBe(0)
  expect(await statusOf(account)).toBe('Suspended')
  expect((await run('tenant', 'resume', account)).code).toBe(0)

  const deleted = await run('tenant', 'delete', account, '--days', '7', '--yes')
  expect(deleted.stdout).toMatch(
    /is suspended, to be deleted on \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\.\n$/,
  )
  expect(await statusOf(account)).toBe('PendingDeletion')
  expect((await run('tenant', 'cancel-deletion', account)).code).toBe(0)
  expect(await statusOf(account)).toBe('Suspended')
})

test('An operator uses a key of a tenant in an emergency, with a reason and for a while', async () => {
  const kms = stack.kms()
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
  const breakGlass = ['tenant', 'break-glass', KeyMetadata?.Arn ?? '', '--operation', 'Decrypt']
  expect((await run(...breakGlass, '--yes')).code).toBe(2)
  const reasoned = [...breakGlass, 'DescribeKey', '--reason', 'incident 42', '--duration', '60']
  const granted = await run(...reasoned, '--yes')
  expect(granted).toMatchObject({ code: 0, stderr: '' })
  const [, grantId] = /^Grant id +(\S+)$/m.exec(granted.stdout) ?? []
  const { Grants = [] } = await kms.send(new ListGrantsCommand({ KeyId: KeyMetadata?.KeyId }))
  expect(Grants).toMatchObject([{ GrantId: grantId, Operations: ['Decrypt', 'DescribeKey'] }])
  expect((await run('key', 'show', KeyMetadata?.Arn ?? '', '--operator')).code).toBe(0)
})

test('The key that verifies statements is shown as PEM', async () => {
  expect((await run('tenant', 'signing-key')).stdout).toMatch(
    /^-----BEGIN PUBLIC KEY-----\n\S+\n-----END PUBLIC KEY-----\n$/,
  )
})

test('Who is of a team may do nothing to tenants; the operator is asked for by --operator', async () => {
  const member = commandLine(variablesOf(stack, stack.credentials))
  const refused = await member.run('tenant', 'list')
  expect(refused).toMatchObject({ code: 1, stdout: '' })
  expect(refused.stderr).toMatch(/\(AccessDeniedException\)\n$/)
  expect((await run('whoami', '--json')).json()).toMatchObject({ Account: stack.account })
  expect((await run('whoami', '--operator', '--json')).json()).toMatchObject({
    Account: '000000000001',
  })
})
