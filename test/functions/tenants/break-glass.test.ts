import {
  CreateKeyCommand,
  DecryptCommand,
  EncryptCommand,
  ListGrantsCommand,
  PutKeyPolicyCommand,
  RevokeGrantCommand,
} from '@aws-sdk/client-kms'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { callKeyhold } from '../../support/keyhold-client.ts'
import { bytes, kmsClient } from '../../support/kms.ts'
import { givenTimedStack, MINUTE, type TimedStack } from '../../support/timed-stack.ts'

let stack: TimedStack
let KeyArn = ''
beforeAll(async () => {
  stack = await givenTimedStack()
})
beforeEach(async () => {
  KeyArn = (await stack.kms.send(new CreateKeyCommand({}))).KeyMetadata?.Arn ?? ''
})
afterAll(() => stack.close())

const Reason = 'incident 4711: restore of the ledger'
const breakGlass = (input: object = {}, as = stack.operator) =>
  callKeyhold(as, 'CreateBreakGlassGrant', { KeyArn, Operations: ['Decrypt'], Reason, ...input })

const encrypted = async () =>
  (await stack.kms.send(new EncryptCommand({ KeyId: KeyArn, Plaintext: bytes('ledger') })))
    .CiphertextBlob

/** What an operator's Decrypt answers: the plaintext, or the refusal's name. */
const decryptedBy = (CiphertextBlob: Uint8Array | undefined) =>
  kmsClient(stack.operator)
    .send(new DecryptCommand({ CiphertextBlob }))
    .then(
      ({ Plaintext = [] }) => Buffer.from(Plaintext).toString(),
      ({ name }: Error) => name,
    )

test('lets the operator who asked use the key, until its time is over', async () => {
  const blob = await encrypted()
  expect(await decryptedBy(blob)).toBe('AccessDeniedException')
  const { status, body } = await breakGlass({ DurationSeconds: 600 })
  expect(status).toBe(200)
  expect(body.EndDate).toBeCloseTo((stack.now() + 10 * MINUTE) / 1000, -1)
  expect(await decryptedBy(blob)).toBe('ledger')
  await stack.advance(11 * MINUTE)
  expect(await decryptedBy(blob)).toBe('AccessDeniedException')
})

test('allows what it names only', async () => {
  await breakGlass()
  const encrypt = new EncryptCommand({ KeyId: KeyArn, Plaintext: bytes('x') })
  await expect(kmsClient(stack.operator).send(encrypt)).rejects.toMatchObject({
    name: 'AccessDeniedException',
  })
})

test('is seen by the tenant, who can take it back', async () => {
  const blob = await encrypted()
  const { body } = await breakGlass()
  const { Grants = [] } = await stack.kms.send(new ListGrantsCommand({ KeyId: KeyArn }))
  expect(Grants).toMatchObject([
    { GrantId: body.GrantId, GranteePrincipal: stack.operator.arn, Operations: ['Decrypt'] },
  ])
  await stack.kms.send(new RevokeGrantCommand({ KeyId: KeyArn, GrantId: String(body.GrantId) }))
  expect(await decryptedBy(blob)).toBe('AccessDeniedException')
})

test('does not help against what the key policy denies', async () => {
  const blob = await encrypted()
  await breakGlass()
  const everything = {
    Effect: 'Allow',
    Principal: { AWS: stack.admin.arn },
    Action: 'kms:*',
    Resource: '*',
  }
  const others = { 'kms:CallerAccount': stack.admin.account }
  const deny = {
    Effect: 'Deny',
    Principal: '*',
    Action: 'kms:*',
    Resource: '*',
    Condition: { StringNotEquals: others },
  }
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [everything, deny] })
  await stack.kms.send(new PutKeyPolicyCommand({ KeyId: KeyArn, Policy }))
  expect(await decryptedBy(blob)).toBe('AccessDeniedException')
})

test('is in the audit trail of the tenant, with who and why', async () => {
  await breakGlass()
  const records = await stack.records()
  expect(records.findLast(({ eventName }) => eventName === 'CreateBreakGlassGrant')).toMatchObject({
    userIdentity: { arn: stack.operator.arn, accountId: stack.operator.account },
    requestParameters: { keyArn: KeyArn, operations: ['Decrypt'], reason: Reason },
    recipientAccountId: stack.admin.account,
    resources: [{ ARN: KeyArn }],
  })
})

test('is for operators, with a reason, for four hours at most, and allows no further grants', async () => {
  expect((await breakGlass({}, stack.admin)).body).toMatchObject({
    __type: 'AccessDeniedException',
  })
  expect((await breakGlass({ Reason: undefined })).body).toMatchObject({
    __type: 'ValidationException',
  })
  expect((await breakGlass({ DurationSeconds: 14_401 })).body).toMatchObject({
    __type: 'ValidationException',
  })
  expect((await breakGlass({ Operations: ['Decrypt', 'CreateGrant'] })).body).toEqual({
    __type: 'InvalidInputException',
    message: 'Such a grant cannot allow further grants.',
  })
  expect((await breakGlass({ KeyArn: `${KeyArn.slice(0, -1)}z` })).body).toMatchObject({
    __type: 'NotFoundException',
  })
})
