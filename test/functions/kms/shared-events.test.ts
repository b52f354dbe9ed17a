import { CreateKeyCommand, EncryptCommand } from '@aws-sdk/client-kms'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { blockLines } from '../../../shared/audit/chain.ts'
import type { CallRecord } from '../../../shared/audit/record.ts'
import type { AccountId, Region } from '../../../shared/ids.ts'
import { bytes, kmsClient } from '../../support/kms.ts'
import { givenTenantsStack, type TenantsStack, type User } from '../../support/tenants-stack.ts'

let stack: TenantsStack
let guest: User
beforeAll(async () => {
  stack = await givenTenantsStack()
  guest = await stack.tenant('444455556666')
})
afterAll(() => stack.close())

/** Encrypts in the audit trail of an account. */
async function encryptsOf(account: AccountId): Promise<readonly CallRecord[]> {
  const { ledger } = stack.services.store
  const region = 'us-east-1' as Region
  const records: CallRecord[] = []
  for (const day of await ledger.days(account, region)) {
    const page = await ledger.blocks(account, region, day, {
      newestFirst: false,
      limit: 1000,
      after: null,
    })
    records.push(...page.items.flatMap(blockLines).map((line) => JSON.parse(line) as CallRecord))
  }
  return records.filter(({ eventName }) => eventName === 'Encrypt')
}

async function givenKey(principal: string): Promise<string> {
  const statement = (AWS: string) => ({
    Effect: 'Allow',
    Principal: { AWS },
    Action: 'kms:*',
    Resource: '*',
  })
  const Policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [statement(stack.admin.arn), statement(principal)],
  })
  const { KeyMetadata } = await kmsClient(stack.admin).send(new CreateKeyCommand({ Policy }))
  return KeyMetadata?.Arn ?? ''
}

const encrypt = (KeyId: string) =>
  kmsClient(guest).send(new EncryptCommand({ KeyId, Plaintext: bytes('x') }))

test('a use by another account is in the trails of both, as one event', async () => {
  const KeyId = await givenKey('444455556666')
  await encrypt(KeyId)
  const [own] = await encryptsOf(guest.account)
  const [owners] = await encryptsOf(stack.admin.account)
  expect(own).toMatchObject({
    userIdentity: { type: 'IAMUser', arn: guest.arn },
    recipientAccountId: guest.account,
    resources: [{ ARN: KeyId }],
  })
  expect(owners?.userIdentity).toEqual({
    type: 'AWSAccount',
    principalId: own?.userIdentity.principalId,
    accountId: guest.account,
  })
  expect(owners).toMatchObject({
    recipientAccountId: stack.admin.account,
    requestID: own?.requestID,
    sharedEventID: own?.sharedEventID,
    resources: [{ ARN: KeyId }],
  })
  expect(own?.sharedEventID).toMatch(/^[0-9a-f-]{36}$/)
  expect(owners?.eventID).not.toBe(own?.eventID)
})

test('a refusal is in the trail of its caller alone', async () => {
  const KeyId = await givenKey(stack.admin.arn)
  const before = (await encryptsOf(stack.admin.account)).length
  await expect(encrypt(KeyId)).rejects.toMatchObject({ name: 'AccessDeniedException' })
  expect((await encryptsOf(guest.account)).at(-1)).toMatchObject({ errorCode: 'AccessDenied' })
  expect(await encryptsOf(stack.admin.account)).toHaveLength(before)
})
