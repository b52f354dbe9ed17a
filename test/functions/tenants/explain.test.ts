import { CreateKeyCommand, DescribeKeyCommand, PutKeyPolicyCommand } from '@aws-sdk/client-kms'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { allow, decryptAs, deny, encryptAs, givenGrant } from '../../support/grants.ts'
import { callKeyhold } from '../../support/keyhold-client.ts'
import { kmsClient } from '../../support/kms.ts'
import { givenTenantsStack, type TenantsStack, type User } from '../../support/tenants-stack.ts'

let stack: TenantsStack
let alice: User
let KeyId = ''
beforeAll(async () => {
  stack = await givenTenantsStack()
  alice = await stack.user(
    stack.admin.account,
    'alice',
    allow('kms:Encrypt', {
      Condition: { StringEquals: { 'kms:EncryptionContext:App': 'ledger' } },
    }),
    deny('kms:Sign'),
  )
  KeyId = await givenKey()
})
afterAll(() => stack.close())

async function givenKey(): Promise<string> {
  const { KeyMetadata } = await kmsClient(stack.admin).send(new CreateKeyCommand({}))
  return KeyMetadata?.Arn ?? ''
}

const explain = (input: object, as: User = stack.admin) =>
  callKeyhold(as, 'ExplainAccess', {
    PrincipalArn: alice.arn,
    KeyId,
    Action: 'kms:Encrypt',
    ...input,
  })

describe('ExplainAccess', () => {
  test('tells which statements allow', async () => {
    const { status, body } = await explain({ EncryptionContext: { App: 'ledger' } })
    expect(status).toBe(200)
    expect(body).toMatchObject({
      PrincipalArn: alice.arn,
      Action: 'kms:Encrypt',
      KeyId,
      Decision: 'Allowed',
      Because: 'IdentityPolicy',
      DecidedBy: [
        { PolicyType: 'KeyPolicy', StatementIndex: 0, Effect: 'Allow', Matched: true },
        { PolicyType: 'IdentityPolicy', PolicyName: 'policy0', StatementIndex: 0, Matched: true },
      ],
    })
  })

  test('tells the condition that failed, and the values that it compared', async () => {
    const { body } = await explain({ EncryptionContext: { App: 'other' } })
    expect(body).toMatchObject({
      Decision: 'Denied',
      Because: 'NothingAllows',
      Where: 'identity-based',
      DecidedBy: [],
    })
    expect(body.Statements).toContainEqual({
      PolicyType: 'IdentityPolicy',
      PolicyName: 'policy0',
      StatementIndex: 0,
      Effect: 'Allow',
      Matched: false,
      Failed: [
        {
          Element: 'Condition',
          Operator: 'StringEquals',
          Key: 'kms:EncryptionContext:App',
          Wanted: ['ledger'],
          Given: ['other'],
        },
      ],
    })
  })

  test('takes values of condition keys in the place of those that a call would have', async () => {
    const { body } = await explain({
      Context: [{ Key: 'kms:EncryptionContext:App', Values: ['ledger'] }],
    })
    expect(body.Decision).toBe('Allowed')
  })

  test('names the statement that denies', async () => {
    const { body } = await explain({ Action: 'kms:Sign' })
    expect(body).toMatchObject({
      Decision: 'Denied',
      Because: 'ExplicitDeny',
      Where: 'identity-based',
      DecidedBy: [{ PolicyName: 'policy1', Effect: 'Deny', Matched: true }],
    })
  })

  test('names the grant that allows, and why another does not', async () => {
    const key = await givenKey()
    const kms = kmsClient(stack.admin)
    const { grantId } = await givenGrant(kms, key, alice, { Operations: ['Decrypt'] })
    const other = await givenGrant(kms, key, alice, { Operations: ['Encrypt'] })
    const { body } = await explain({ KeyId: key, Action: 'kms:Decrypt' })
    expect(body).toMatchObject({ Decision: 'Allowed', Because: 'Grant', GrantId: grantId })
    expect(body.Grants).toContainEqual({
      GrantId: other.grantId,
      Covers: false,
      Failed: 'It allows Encrypt only.',
    })
  })

  test('decides as the call itself is decided', async () => {
    for (const App of ['ledger', 'other']) {
      const EncryptionContext = { App }
      const { body } = await explain({ EncryptionContext })
      const answer = await encryptAs(alice, KeyId, { EncryptionContext }).then(
        () => 'Allowed',
        ({ name }) => (name === 'AccessDeniedException' ? 'Denied' : name),
      )
      expect(body.Decision).toBe(answer)
    }
  })

  test('is for whoever may read the key policy, and tells others what AWS would', async () => {
    const { body } = await explain({}, alice)
    expect(body).toEqual({
      __type: 'AccessDeniedException',
      message: `User: ${alice.arn} is not authorized to perform: keyhold:ExplainAccess on resource: * because no identity-based policy allows the keyhold:ExplainAccess action`,
    })
    const bob = await stack.user(stack.admin.account, 'bob', allow('keyhold:*'))
    expect((await explain({}, bob)).body).toEqual({
      __type: 'AccessDeniedException',
      message: `User: ${bob.arn} is not authorized to perform: kms:GetKeyPolicy on resource: ${KeyId} because no identity-based policy allows the kms:GetKeyPolicy action`,
    })
  })

  test('knows the principals of its own account only', async () => {
    const stranger = await stack.tenant('444455556666')
    for (const PrincipalArn of [stranger.arn, `arn:aws:iam::${stack.admin.account}:user/nobody`]) {
      expect((await explain({ PrincipalArn })).body).toEqual({
        __type: 'NoSuchEntityException',
        message: `There is no principal ${PrincipalArn}.`,
      })
    }
    expect((await explain({}, stranger)).body).toMatchObject({ __type: 'AccessDeniedException' })
  })
})

describe('ExplainRequest', () => {
  const requestIdOf = async (call: Promise<unknown>): Promise<string> => {
    const answer = await call.catch((error: unknown) => error)
    return (answer as { $metadata: { requestId: string } }).$metadata.requestId
  }
  const explainRequest = (input: object, as: User = stack.admin) =>
    callKeyhold(as, 'ExplainRequest', input)

  test('tells why a call was refused', async () => {
    const RequestId = await requestIdOf(
      encryptAs(alice, KeyId, { EncryptionContext: { App: 'other' } }),
    )
    const { body } = await explainRequest({ RequestId })
    expect(body).toMatchObject({
      Recorded: {
        EventName: 'Encrypt',
        PrincipalArn: alice.arn,
        Outcome: 'Denied',
        ErrorCode: 'AccessDenied',
      },
      Explanations: [
        { Action: 'kms:Encrypt', KeyId, Decision: 'Denied', Because: 'NothingAllows' },
      ],
      Agrees: true,
    })
  })

  test('tells that a call would be decided otherwise now', async () => {
    const key = await givenKey()
    const admin = kmsClient(stack.admin)
    const RequestId = await requestIdOf(
      kmsClient(alice).send(new DescribeKeyCommand({ KeyId: key })),
    )
    await admin.send(
      new PutKeyPolicyCommand({
        KeyId: key,
        Policy: JSON.stringify({
          Version: '2012-10-17',
          Statement: [
            {
              Effect: 'Allow',
              Principal: { AWS: stack.admin.arn },
              Action: 'kms:*',
              Resource: '*',
            },
            {
              Sid: 'Look',
              Effect: 'Allow',
              Principal: { AWS: alice.arn },
              Action: 'kms:Describe*',
              Resource: '*',
            },
          ],
        }),
      }),
    )
    const { body } = await explainRequest({ RequestId })
    expect(body).toMatchObject({
      Recorded: { Outcome: 'Denied' },
      Explanations: [{ Decision: 'Allowed', Because: 'KeyPolicy', DecidedBy: [{ Sid: 'Look' }] }],
      Agrees: false,
    })
  })

  test('explains an allowed Decrypt, whose key the ciphertext names', async () => {
    const key = await givenKey()
    const { CiphertextBlob } = await encryptAs(stack.admin, key)
    const RequestId = await requestIdOf(decryptAs(stack.admin, CiphertextBlob))
    const { body } = await explainRequest({ RequestId })
    expect(body).toMatchObject({
      Explanations: [{ Action: 'kms:Decrypt', KeyId: key, Decision: 'Allowed' }],
      Agrees: true,
    })
  })

  test('knows no calls of another account', async () => {
    const RequestId = await requestIdOf(encryptAs(stack.admin, KeyId))
    const stranger = await stack.tenant('555566667777')
    expect((await explainRequest({ RequestId }, stranger)).body).toEqual({
      __type: 'NoSuchEntityException',
      message:
        'There is no record of a call of KMS with this RequestId in this account and Region.',
    })
  })

  test('wants one id', async () => {
    expect((await explainRequest({})).body).toEqual({
      __type: 'InvalidInputException',
      message: 'Give either RequestId or EventId.',
    })
  })
})
