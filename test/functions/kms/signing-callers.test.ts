/** Who may sign, verify and compute MACs, by the conditions of policies; and what of it is recorded. */
import { randomBytes } from 'node:crypto'
import { PutKeyPolicyCommand } from '@aws-sdk/client-kms'
import { afterAll, describe, expect, test } from 'vitest'
import type { AuditRecord } from '../../../shared/audit/record.ts'
import { refusedWith } from '../../support/key-operation.ts'
import { givenAlias, givenKey, kmsClient } from '../../support/kms.ts'
import { callKms, jsonOf } from '../../support/raw-call.ts'
import { givenTenantsStack, type User } from '../../support/tenants-stack.ts'

const stack = await givenTenantsStack()
afterAll(() => stack.close())
const { admin, services } = stack
const kms = kmsClient(admin)
const signing = await givenKey(kms, { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' })
const hmac = await givenKey(kms, { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' })
const Message = randomBytes(32).toString('base64')
const SigningAlgorithm = 'ECDSA_SHA_256'
const MacAlgorithm = 'HMAC_SHA_256'

const call = async (operation: string, input: object, user: User = admin) =>
  jsonOf(await callKms(user, operation, input))
const signed = await call('Sign', { KeyId: signing.keyId, Message, SigningAlgorithm })
const { Signature } = signed.json as { Signature: string }
const maced = await call('GenerateMac', { KeyId: hmac.keyId, Message, MacAlgorithm })
const { Mac } = maced.json as { Mac: string }

const inputs: Readonly<Record<string, object>> = {
  Sign: { KeyId: signing.arn, Message, SigningAlgorithm },
  Verify: { KeyId: signing.arn, Message, SigningAlgorithm, Signature },
  GetPublicKey: { KeyId: signing.arn },
  GenerateMac: { KeyId: hmac.arn, Message, MacAlgorithm },
  VerifyMac: { KeyId: hmac.arn, Message, MacAlgorithm, Mac },
}
const inputOf = (operation: string): object => inputs[operation] ?? {}

const allow = (Action: string, Condition: object = {}) => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action, Resource: '*', Condition }],
})
let users = 0
const userWith = (...policies: readonly object[]): Promise<User> =>
  stack.user(admin.account, `user-${++users}`, ...policies)

describe.each(Object.keys(inputs))('%s', (operation) => {
  test('is allowed by its own action and by no other', async () => {
    const user = await userWith(allow(`kms:${operation}`))
    expect((await call(operation, inputOf(operation), user)).status).toBe(200)
    for (const other of Object.keys(inputs)) {
      if (other === operation) continue
      const { json } = await call(other, inputOf(other), user)
      expect(json).toMatchObject({ __type: 'AccessDeniedException' })
    }
  })

  test('is open to another account that the key policy names', async () => {
    const other = await stack.tenant(String(200_000_000_000 + ++users))
    const input = inputOf(operation) as { KeyId: string }
    expect((await call(operation, input, other)).json).toMatchObject({
      __type: 'AccessDeniedException',
    })
    const principals = { AWS: [admin.account, other.account] }
    const Statement = [{ Effect: 'Allow', Principal: principals, Action: 'kms:*', Resource: '*' }]
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement })
    await kms.send(new PutKeyPolicyCommand({ KeyId: input.KeyId, Policy }))
    const answer = await call(operation, input, other)
    expect(answer).toMatchObject({ status: 200, json: { KeyId: input.KeyId } })
  })
})

/** With the condition only the first of the requests is allowed. */
describe.each([
  [{ 'kms:SigningAlgorithm': SigningAlgorithm }, 'Sign', {}, { SigningAlgorithm: 'SM2DSA' }],
  [{ 'kms:SigningAlgorithm': SigningAlgorithm }, 'Verify', {}, { SigningAlgorithm: 'SM2DSA' }],
  [{ 'kms:MessageType': 'RAW' }, 'Sign', {}, { MessageType: 'DIGEST' }],
  [{ 'kms:MessageType': 'RAW' }, 'Sign', { MessageType: 'RAW' }, { MessageType: 'EXTERNAL_MU' }],
  [{ 'kms:MessageType': 'DIGEST' }, 'Sign', { MessageType: 'DIGEST' }, {}],
  [{ 'kms:MessageType': 'RAW' }, 'Verify', {}, { MessageType: 'DIGEST' }],
  [{ 'kms:MacAlgorithm': MacAlgorithm }, 'GenerateMac', {}, { MacAlgorithm: 'HMAC_SHA_224' }],
  [{ 'kms:MacAlgorithm': MacAlgorithm }, 'VerifyMac', {}, { MacAlgorithm: 'HMAC_SHA_224' }],
])('Under the condition %o on %s', (condition, operation, allowed, refused) => {
  test('a request that meets it is allowed, and one that does not is denied', async () => {
    const user = await userWith(allow(`kms:${operation}`, { StringEquals: condition }))
    const input = inputOf(operation)
    expect((await call(operation, { ...input, ...allowed }, user)).status).toBe(200)
    const { json } = await call(operation, { ...input, ...refused }, user)
    expect(json).toMatchObject({ __type: 'AccessDeniedException' })
  })
})

test('A stranger to the key learns of its usage, state and algorithms nothing', async () => {
  const nobody = await userWith()
  const { keyId, arn } = await givenKey(kms)
  await call('DisableKey', { KeyId: keyId })
  expect(await call('Sign', { KeyId: keyId, Message, SigningAlgorithm }, nobody)).toEqual(
    refusedWith(
      'AccessDeniedException',
      `User: ${nobody.arn} is not authorized to perform: kms:Sign on resource: ${arn} because no identity-based policy allows the kms:Sign action`,
    ),
  )
})

/** The text of every record that the account has in the Region. */
async function ledgerText(): Promise<string> {
  const region = services.regions[0] as never
  const texts: string[] = []
  for (const day of await services.store.ledger.days(admin.account, region)) {
    for (let after: string | null = null; ; ) {
      const options = { newestFirst: false, limit: 100, after }
      const page = await services.store.ledger.blocks(admin.account, region, day, options)
      texts.push(...page.items.map(({ records }) => Buffer.from(records).toString()))
      if (page.next === null) break
      after = page.next
    }
  }
  return texts.join('\n')
}

describe('The record of', () => {
  const signingParameters = { messageType: 'RAW', signingAlgorithm: SigningAlgorithm }
  const macParameters = { macAlgorithm: MacAlgorithm }

  test.each([
    ['Sign', signing, signingParameters],
    ['Verify', signing, signingParameters],
    ['GetPublicKey', signing, {}],
    ['GenerateMac', hmac, macParameters],
    ['VerifyMac', hmac, macParameters],
  ] as const)(
    '%s shows the key as it was named, and the algorithm',
    async (operation, key, more) => {
      const alias = await givenAlias(kms, key.keyId)
      const input = { ...inputOf(operation), KeyId: alias }
      const { status, headers } = await callKms(admin, operation, input)
      expect(status).toBe(200)
      const lines = (await ledgerText()).split('\n').map((line) => JSON.parse(line) as AuditRecord)
      const records = lines.filter(({ requestID }) => requestID === headers['x-amzn-requestid'])
      expect(records).toEqual([
        expect.objectContaining({
          eventName: operation,
          readOnly: true,
          requestParameters: { keyId: alias, ...more },
          responseElements: null,
          resources: [{ accountId: admin.account, type: 'AWS::KMS::Key', ARN: key.arn }],
        }),
      ])
    },
  )

  test('none holds a message, a signature or a MAC', async () => {
    await call('Verify', { ...inputOf('Verify'), Message: Mac })
    await call('VerifyMac', { ...inputOf('VerifyMac'), Message: 'AAAA' })
    const text = await ledgerText()
    expect(text).toContain('KMSInvalidSignatureException')
    expect(text).toContain('KMSInvalidMacException')
    for (const secret of [Message, Signature, Mac]) expect(text).not.toContain(secret)
  })
})
