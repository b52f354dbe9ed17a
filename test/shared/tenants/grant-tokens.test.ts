import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { systemClock } from '../../../shared/clock.ts'
import { createSoftwareHsm, openSoftwareHsm } from '../../../shared/hsm/software.ts'
import { parseGrantId, parseKeyId } from '../../../shared/ids.ts'
import { type GrantAddress, GrantTokens } from '../../../shared/tenants/grant-tokens.ts'
import { TenantKeys } from '../../../shared/tenants/tenant-keys.ts'
import { ACCOUNT, OTHER_ACCOUNT, REGION } from '../../support/audit-records.ts'
import { givenTenants } from '../../support/memory-tenants.ts'

const directory = await mkdtemp(join(tmpdir(), 'keyhold-grant-tokens-'))
afterAll(() => rm(directory, { recursive: true, force: true }))
const path = join(directory, 'root-key.json')
await createSoftwareHsm(path)
const tenantKeys = new TenantKeys({
  tenants: givenTenants(),
  hsm: await openSoftwareHsm(path),
  clock: systemClock,
})
await tenantKeys.create(ACCOUNT)
await tenantKeys.create(OTHER_ACCOUNT)
const tokens = new GrantTokens(tenantKeys)

const address = {
  account: ACCOUNT,
  region: REGION,
  keyId: parseKeyId('1234abcd-12ab-34cd-56ef-1234567890ab'),
  grantId: parseGrantId('0123456789abcdef'.repeat(4)),
} as GrantAddress
const token = await tokens.seal(address)

test('A token tells the grant that it is of, and every token is another', async () => {
  const again = await tokens.seal(address)
  expect(again).not.toBe(token)
  for (const one of [token, again]) expect(await tokens.open(one)).toEqual(address)
  expect(token.length).toBeLessThan(8192)
})

test('A token says nothing in the clear but whose key it is for', () => {
  const text = Buffer.from(token, 'base64url').toString('latin1')
  for (const hidden of [address.keyId, address.grantId, address.region])
    expect(text).not.toContain(hidden)
})

test('A token in which any byte is another is none', async () => {
  const bytes = Buffer.from(token, 'base64url')
  for (let at = 0; at < bytes.length; at++) {
    const altered = Buffer.from(bytes)
    altered[at] = (bytes[at] ?? 0) ^ 1
    expect(await tokens.open(altered.toString('base64url'))).toBeNull()
  }
})

test('A token that is cut or goes on is none', async () => {
  for (let length = 0; length < token.length; length++)
    expect(await tokens.open(token.slice(0, length))).toBeNull()
  for (const more of ['A', 'AAAA', '=', ' ']) expect(await tokens.open(token + more)).toBeNull()
})

test('No text is a token but those that were made', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.string(),
        fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes).toString('base64url')),
      ),
      async (text) => {
        expect(await tokens.open(text)).toBeNull()
      },
    ),
  )
})

test('A token under the name of another tenant, or of one that is not there, is none', async () => {
  for (const account of [OTHER_ACCOUNT, '999988887777']) {
    const bytes = Buffer.from(token, 'base64url')
    bytes.writeUIntBE(Number(account), 1, 6)
    expect(await tokens.open(bytes.toString('base64url'))).toBeNull()
  }
})
