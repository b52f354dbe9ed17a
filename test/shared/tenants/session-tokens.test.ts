import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { systemClock } from '../../../shared/clock.ts'
import { createSoftwareHsm, openSoftwareHsm } from '../../../shared/hsm/software.ts'
import { principalIdOf } from '../../../shared/ids.ts'
import { newTemporaryAccessKeyId } from '../../../shared/tenants/access-key-id.ts'
import {
  packedSize,
  type SessionContent,
  SessionTokens,
} from '../../../shared/tenants/session-tokens.ts'
import { TenantKeys } from '../../../shared/tenants/tenant-keys.ts'
import { ACCOUNT, NOON, OTHER_ACCOUNT } from '../../support/audit-records.ts'
import { givenTenants } from '../../support/memory-tenants.ts'

const directory = await mkdtemp(join(tmpdir(), 'keyhold-session-tokens-'))
afterAll(() => rm(directory, { recursive: true, force: true }))
const path = join(directory, 'root-key.json')
await createSoftwareHsm(path)
const hsm = await openSoftwareHsm(path)
const tenants = givenTenants()
const tenantKeys = new TenantKeys({ tenants, hsm, clock: systemClock })
await tenantKeys.create(ACCOUNT)
await tenantKeys.create(OTHER_ACCOUNT)
const tokens = new SessionTokens(tenantKeys)

const session: SessionContent = {
  account: ACCOUNT,
  principalId: principalIdOf('AROAEXAMPLEEXAMPLE00'),
  sessionName: 'alice',
  issuedAt: NOON,
  expiresAt: NOON + 3_600_000,
  tags: [{ TagKey: 'project', TagValue: 'lattice' }],
  transitiveTagKeys: ['project'],
  limits: { documents: [{ name: 'inline', document: '{}' }], policyArns: [] },
  sourceIdentity: 'alice@example.com',
  federated: { provider: 'oidc.example.com', subject: 'alice', audience: 'keyhold' },
}
const issued = await tokens.issue(session)

test('A token opens with its access key id, and gives the session and what it signs by', async () => {
  const opened = await tokens.open(issued.accessKeyId, issued.sessionToken)
  expect(opened?.session).toEqual(session)
  const { signingSecret } = opened ?? {}
  expect(signingSecret?.export().toString()).toBe(`AWS4${issued.secretAccessKey}`)
})

test('Credentials have the form that AWS gives them, and are others every time', async () => {
  expect(issued.accessKeyId).toMatch(/^ASIA[A-Z2-7]{16}$/)
  expect(issued.secretAccessKey).toMatch(/^[A-Za-z0-9+/]{40}$/)
  const again = await tokens.issue(session)
  expect(again.accessKeyId).not.toBe(issued.accessKeyId)
  expect(again.secretAccessKey).not.toBe(issued.secretAccessKey)
})

test('A token opens with no other access key id', async () => {
  const other = await tokens.issue(session)
  expect(await tokens.open(other.accessKeyId, issued.sessionToken)).toBeNull()
  expect(await tokens.open(newTemporaryAccessKeyId(), issued.sessionToken)).toBeNull()
})

test('A token says nothing in the clear but whose key it is for', () => {
  const text = Buffer.from(issued.sessionToken, 'base64url').toString('latin1')
  const { secretAccessKey, accessKeyId } = issued
  for (const hidden of [secretAccessKey, accessKeyId, session.principalId, 'alice', 'lattice'])
    expect(text).not.toContain(hidden)
})

test('A token in which any byte is another is none', async () => {
  const bytes = Buffer.from(issued.sessionToken, 'base64url')
  for (let at = 0; at < bytes.length; at++) {
    const altered = Buffer.from(bytes)
    altered[at] = (bytes[at] ?? 0) ^ 1
    expect(await tokens.open(issued.accessKeyId, altered.toString('base64url'))).toBeNull()
  }
})

test('A token that is cut, goes on or is spelt otherwise is none', async () => {
  const { sessionToken: token, accessKeyId } = issued
  for (let length = 0; length < token.length; length += 7)
    expect(await tokens.open(accessKeyId, token.slice(0, length))).toBeNull()
  const base64 = Buffer.from(token, 'base64url').toString('base64')
  for (const other of [`${token}A`, `${token}=`, ` ${token}`, `${base64}`].filter(
    (t) => t !== token,
  ))
    expect(await tokens.open(accessKeyId, other)).toBeNull()
})

test('A token moved to another tenant is none', async () => {
  const bytes = Buffer.from(issued.sessionToken, 'base64url')
  bytes.writeUIntBE(Number(OTHER_ACCOUNT), 1, 6)
  expect(await tokens.open(issued.accessKeyId, bytes.toString('base64url'))).toBeNull()
})

test('Any other text is no token', async () => {
  const text = fc.oneof(fc.string(), fc.base64String(), fc.string({ minLength: 17_000 }))
  await fc.assert(
    fc.asyncProperty(text, async (other) => {
      expect(await tokens.open(issued.accessKeyId, other)).toBeNull()
    }),
  )
})

test('A token does not open once the key of its tenant is destroyed', async () => {
  const own = givenTenants()
  const time = { now: NOON }
  const keys = new TenantKeys({ tenants: own, hsm, clock: { now: () => time.now } })
  await keys.create(ACCOUNT)
  const mine = new SessionTokens(keys)
  const { accessKeyId, sessionToken } = await mine.issue(session)
  expect(await mine.open(accessKeyId, sessionToken)).not.toBeNull()
  own.tenantKeys.length = 0
  time.now += 61_000
  expect(await mine.open(accessKeyId, sessionToken)).toBeNull()
})

test('What is packed grows with tags and policies', () => {
  const small = packedSize({ tags: [], limits: null })
  const more = packedSize(session)
  expect(small).toBeLessThan(more)
  const tags = Array.from({ length: 50 }, (_, i) => ({ TagKey: `k${i}`, TagValue: `v${i * i}` }))
  expect(packedSize({ ...session, tags })).toBeGreaterThan(more + 100)
})

test('A token without tags and policies fits any header', async () => {
  const plain = { ...session, tags: [], transitiveTagKeys: [], limits: null }
  expect((await tokens.issue(plain)).sessionToken.length).toBeLessThan(700)
})
