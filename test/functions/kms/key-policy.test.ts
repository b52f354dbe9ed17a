import {
  CreateKeyCommand,
  GetKeyPolicyCommand,
  ListKeyPoliciesCommand,
  PutKeyPolicyCommand,
} from '@aws-sdk/client-kms'
import { describe, expect, test } from 'vitest'
import {
  givenDisabledKey,
  givenKey,
  givenKeyPendingDeletion,
  kmsClient,
} from '../../support/kms.ts'
import { callKms, jsonOf } from '../../support/raw-call.ts'
import { refusalOf, refused } from '../../support/refusal.ts'
import { givenStack } from '../../support/stack-client.ts'

const stack = givenStack()
const kms = kmsClient(stack)
const key = await givenKey(kms)
const root = `arn:aws:iam::${stack.account}:root`
const admin = `arn:aws:iam::${stack.account}:user/admin`

interface Statement {
  readonly Effect?: string
  readonly Principal?: unknown
  readonly Action?: unknown
  readonly Resource?: unknown
  readonly Condition?: unknown
}
const allowing = (Principal: unknown, more: Statement = {}): Statement => ({
  Effect: 'Allow',
  Principal,
  Action: 'kms:*',
  Resource: '*',
  ...more,
})
const policyOf = (...Statement: Statement[]) => ({ Version: '2012-10-17', Statement })

const put = (policy: object | string, more: object = {}) =>
  kms.send(
    new PutKeyPolicyCommand({
      KeyId: key.keyId,
      Policy: typeof policy === 'string' ? policy : JSON.stringify(policy),
      ...more,
    }),
  )
const get = async (KeyId = key.keyId) =>
  (await kms.send(new GetKeyPolicyCommand({ KeyId }))).Policy ?? ''

describe('PutKeyPolicy', () => {
  test('replaces the policy, which GetKeyPolicy gives back in the form of KMS', async () => {
    const policy = policyOf(allowing({ AWS: [root, admin] }))
    await put(policy)
    const text = await get()
    expect(JSON.parse(text)).toEqual(policy)
    expect(text).toBe(`{
  "Version" : "2012-10-17",
  "Statement" : [ {
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : [ "${root}", "${admin}" ]
    },
    "Action" : "kms:*",
    "Resource" : "*"
  } ]
}`)
  })

  test('takes what GetKeyPolicy gave', async () => {
    const text = await get()
    await put(text)
    expect(await get()).toBe(text)
  })

  test('works in every state of the key', async () => {
    for (const given of [givenDisabledKey, givenKeyPendingDeletion]) {
      const { keyId } = await given(kms)
      await put(policyOf(allowing({ AWS: stack.account })), { KeyId: keyId })
      expect(JSON.parse(await get(keyId)).Statement[0].Principal).toEqual({ AWS: stack.account })
    }
  })

  test('answers with an empty body', async () => {
    const input = { KeyId: key.keyId, Policy: JSON.stringify(policyOf(allowing({ AWS: root }))) }
    expect(await callKms(stack, 'PutKeyPolicy', input)).toMatchObject({ status: 200, body: '' })
  })

  test('takes everyone, and names of AWS services', async () => {
    await put(policyOf(allowing('*')))
    await put(policyOf(allowing({ AWS: root }), allowing({ Service: 's3.amazonaws.com' })))
  })
})

describe('A policy is refused', () => {
  const attempt = (policy: object | string, more: object = {}) => refusalOf(put(policy, more))
  const malformed = (message: string | null) => refused('MalformedPolicyDocumentException', message)
  const invalid = malformed('Policy contains a statement with one or more invalid principals.')

  test.for(['{', 'text', '{"Version":"2012-10-17",}'])('that is no JSON: %s', async (text) => {
    expect(await attempt(text)).toEqual(malformed(null))
  })

  test('with a statement that names nobody', async () => {
    const { Principal, ...nobody } = allowing('*')
    expect(await attempt(policyOf(allowing({ AWS: root }), nobody))).toEqual(
      malformed('Policy contains a statement with no principal.'),
    )
  })

  test.for([
    'arn:aws:iam::111122223333:user/nobody',
    'arn:aws:iam::111122223333:user/path/admin',
    'arn:aws:iam::111122223333:role/none',
    'arn:aws:iam::999988887777:root',
    'arn:aws:iam::999988887777:user/admin',
    '999988887777',
    'AIDAAAAAAAAAAAAAAAAA',
    'nobody',
  ])('that names a principal that does not exist: %s', async (name) => {
    expect(await attempt(policyOf(allowing({ AWS: [root, name] })))).toEqual(invalid)
  })

  test('that names a principal by an ARN that is none', async () => {
    expect(await attempt(policyOf(allowing({ AWS: ['arn:aws:iam::x', root] })))).toEqual(
      refused('InvalidArnException', 'An ARN in the specified key policy is invalid.'),
    )
  })

  test('that is larger than 32 KiB, or names too many', async () => {
    const large = { ...policyOf(allowing({ AWS: root })), Id: 'x'.repeat(32_768) }
    expect((await attempt(large)).name).toBe('LimitExceededException')
    const many = Array.from(
      { length: 301 },
      (_, index) => `arn:aws:iam::111122223333:user/${index}`,
    )
    expect(await attempt(policyOf(allowing({ AWS: many })))).toEqual(
      refused('LimitExceededException', 'A key policy must not name more than 300 principals.'),
    )
  })

  test('that has no name but default', async () => {
    expect((await attempt(policyOf(allowing({ AWS: root })), { PolicyName: 'other' })).name).toBe(
      'ValidationException',
    )
  })

  test('and leaves the one before in place', async () => {
    const before = await get()
    await attempt('{')
    await attempt(policyOf(allowing({ AWS: 'nobody' })))
    expect(await get()).toBe(before)
  })
})

describe('The lockout check', () => {
  const lockout = refused(
    'MalformedPolicyDocumentException',
    'The new key policy will not allow you to update the key policy in the future.',
  )
  const without = policyOf(allowing({ AWS: root }, { Action: 'kms:Encrypt' }))

  test('refuses a policy that would not let its author change it again', async () => {
    for (const policy of [
      without,
      policyOf(
        allowing({ AWS: root }),
        allowing({ AWS: admin }, { Effect: 'Deny', Action: 'kms:PutKeyPolicy' }),
      ),
      policyOf(
        allowing({ AWS: root }, { Condition: { StringEquals: { 'kms:KeySpec': 'RSA_2048' } } }),
      ),
    ]) {
      expect(await refusalOf(put(policy))).toEqual(lockout)
    }
  })

  test('knows the key that the policy is for', async () => {
    const { keyId } = await givenKey(kms, { Tags: [{ TagKey: 'team', TagValue: 'payments' }] })
    const forTeam = (team: string) =>
      policyOf(
        allowing(
          { AWS: root },
          {
            Condition: {
              StringEquals: {
                'kms:KeySpec': 'SYMMETRIC_DEFAULT',
                'kms:KeyOrigin': 'AWS_KMS',
                'aws:ResourceTag/team': team,
              },
            },
          },
        ),
      )
    expect(await refusalOf(put(forTeam('other'), { KeyId: keyId }))).toEqual(lockout)
    await put(forTeam('payments'), { KeyId: keyId })
  })

  test('can be left out, and then the author is locked out', async () => {
    const { keyId, arn } = await givenKey(kms)
    await put(without, { KeyId: keyId, BypassPolicyLockoutSafetyCheck: true })
    const again = put(policyOf(allowing({ AWS: root })), { KeyId: keyId })
    expect(await refusalOf(again)).toEqual(
      refused(
        'AccessDeniedException',
        `User: ${admin} is not authorized to perform: kms:PutKeyPolicy on resource: ${arn} because no resource-based policy allows the kms:PutKeyPolicy action`,
      ),
    )
  })

  test('holds for a new key too', async () => {
    const create = (more: object) =>
      kms.send(new CreateKeyCommand({ Policy: JSON.stringify(without), ...more }))
    expect(await refusalOf(create({}))).toEqual(lockout)
    const { KeyMetadata } = await create({ BypassPolicyLockoutSafetyCheck: true })
    expect(KeyMetadata?.KeyState).toBe('Enabled')
  })

  test('knows the tags of a new key', async () => {
    const Condition = { StringEquals: { 'aws:ResourceTag/team': 'payments' } }
    const Policy = JSON.stringify(policyOf(allowing({ AWS: root }, { Condition })))
    expect(await refusalOf(kms.send(new CreateKeyCommand({ Policy })))).toEqual(lockout)
    const Tags = [{ TagKey: 'team', TagValue: 'payments' }]
    await kms.send(new CreateKeyCommand({ Policy, Tags }))
  })
})

describe('GetKeyPolicy', () => {
  test('knows one name', async () => {
    const command = (PolicyName: string) =>
      kms.send(new GetKeyPolicyCommand({ KeyId: key.keyId, PolicyName }))
    expect((await command('default')).PolicyName).toBe('default')
    expect(await refusalOf(command('other'))).toEqual(
      refused('NotFoundException', 'No such policy exists'),
    )
  })

  test('refuses names with other characters than letters, digits and _', async () => {
    const input = { KeyId: key.keyId, PolicyName: 'a-b' }
    expect(jsonOf(await callKms(stack, 'GetKeyPolicy', input)).json).toEqual({
      __type: 'ValidationException',
      message:
        "1 validation error detected: Value 'a-b' at 'policyName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w]+",
    })
  })
})

describe('ListKeyPolicies', () => {
  test('shows the one name there is', async () => {
    const answer = await callKms(stack, 'ListKeyPolicies', { KeyId: key.keyId, Limit: 1 })
    expect(jsonOf(answer)).toEqual({
      status: 200,
      json: { PolicyNames: ['default'], Truncated: false },
    })
  })

  test('refuses a marker, as it never gives one', async () => {
    const attempt = kms.send(new ListKeyPoliciesCommand({ KeyId: key.keyId, Marker: 'x' }))
    expect((await refusalOf(attempt)).name).toBe('ValidationException')
  })
})
