import { describe, expect, test } from 'vitest'
import {
  type AccessRequest,
  decide,
  EvaluationError,
  type GrantEffect,
} from '../../../shared/authz/decide.ts'
import { deniedText } from '../../../shared/authz/denied-text.ts'
import { PolicyProblem } from '../../../shared/authz/policy-problem.ts'
import { principalIdOf } from '../../../shared/ids.ts'
import {
  ACCOUNT,
  ADMINISTRATOR,
  ALICE,
  ALICE_ID,
  contextOf,
  DELEGATES,
  decided,
  givenCaller,
  givenRequest,
  givenStranger,
  KEY_ARN,
  keyStatement,
  NOTHING,
  OTHER_ROOT,
  policy,
  ROOT,
  statement,
  without,
  word,
} from './given.ts'

type Json = Readonly<Record<string, unknown>>

const BY_KEY_POLICY = 'allowed by resource-policy'
const BY_IDENTITY_POLICY = 'allowed by identity-policy'
const IDENTITY_SILENT = 'implicit-deny in identity-based'
const IDENTITY_DENIES = 'explicit-deny in identity-based'
const RESOURCE_SILENT = 'implicit-deny in resource-based'
const RESOURCE_DENIES = 'explicit-deny in resource-based'

const NAMES_ALICE = policy(keyStatement({ Principal: { AWS: ALICE } }))
const NAMES_BOB = policy(keyStatement({ Principal: { AWS: 'arn:aws:iam::111122223333:user/bob' } }))
const DENIES_ALL = policy(statement({ Effect: 'Deny' }))
const KEY_DENIES_ALL = policy([keyStatement(), keyStatement({ Effect: 'Deny' })])

describe('a key of the own account', () => {
  test.each<[string, string | null, readonly string[], string]>([
    ['left to the account, identity silent', DELEGATES, [], IDENTITY_SILENT],
    ['left to the account, identity speaks of others', DELEGATES, [NOTHING], IDENTITY_SILENT],
    ['left to the account, identity allows', DELEGATES, [ADMINISTRATOR], BY_IDENTITY_POLICY],
    [
      'left to the account, one of two allows',
      DELEGATES,
      [NOTHING, ADMINISTRATOR],
      BY_IDENTITY_POLICY,
    ],
    [
      'left to the account, identity denies',
      DELEGATES,
      [ADMINISTRATOR, DENIES_ALL],
      IDENTITY_DENIES,
    ],
    ['naming the caller, identity silent', NAMES_ALICE, [], BY_KEY_POLICY],
    ['naming the caller, identity denies', NAMES_ALICE, [DENIES_ALL], IDENTITY_DENIES],
    ['naming everyone, identity silent', policy(keyStatement()), [], BY_KEY_POLICY],
    ['naming someone else, identity allows', NAMES_BOB, [ADMINISTRATOR], RESOURCE_SILENT],
    ['naming someone else, identity silent', NAMES_BOB, [], IDENTITY_SILENT],
    [
      'left to another account, identity allows',
      policy(keyStatement({ Principal: { AWS: OTHER_ROOT } })),
      [ADMINISTRATOR],
      RESOURCE_SILENT,
    ],
    ['denying, identity allows', KEY_DENIES_ALL, [ADMINISTRATOR], RESOURCE_DENIES],
    ['denying, identity denies', KEY_DENIES_ALL, [DENIES_ALL], RESOURCE_DENIES],
    ['without a policy, identity allows', null, [ADMINISTRATOR], RESOURCE_SILENT],
  ])('%s', (_, resourcePolicy, policies, expected) => {
    expect(decided({ resourcePolicy, caller: givenCaller(policies) })).toBe(expected)
  })

  test('left to the account for another action is not left to it', () => {
    const resourcePolicy = policy(keyStatement({ Principal: { AWS: ROOT }, Action: 'kms:Decrypt' }))
    expect(decided({ resourcePolicy, caller: givenCaller([ADMINISTRATOR]) })).toBe(RESOURCE_SILENT)
  })

  test('left to the account under a condition is left to it only then', () => {
    const resourcePolicy = policy(
      keyStatement({
        Principal: { AWS: ROOT },
        Condition: { Bool: { 'aws:SecureTransport': true } },
      }),
    )
    const caller = givenCaller([ADMINISTRATOR])
    const secure = contextOf(['aws:SecureTransport', 'true'])
    expect(decided({ resourcePolicy, caller })).toBe(RESOURCE_SILENT)
    expect(decided({ resourcePolicy, caller, context: secure })).toBe(BY_IDENTITY_POLICY)
  })

  test('that both names and delegates is allowed by the key policy', () => {
    const resourcePolicy = policy([
      keyStatement({ Principal: { AWS: ALICE } }),
      keyStatement({ Principal: { AWS: ROOT } }),
    ])
    expect(decided({ resourcePolicy })).toBe(BY_KEY_POLICY)
  })
})

describe('a key of another account', () => {
  const stranger = (
    policies: readonly string[],
    resourcePolicy: string | null,
    action = 'kms:Encrypt',
  ) => decided({ caller: givenStranger(policies), resourcePolicy, action })
  const NAMES_EVE = policy(
    keyStatement({ Principal: { AWS: 'arn:aws:iam::444455556666:user/eve' } }),
  )
  const TO_ACCOUNT = policy(keyStatement({ Principal: { AWS: OTHER_ROOT } }))

  test.each<[string, readonly string[], string | null, string]>([
    ['both sides allow, by account', [ADMINISTRATOR], TO_ACCOUNT, BY_IDENTITY_POLICY],
    ['both sides allow, by name', [ADMINISTRATOR], NAMES_EVE, BY_IDENTITY_POLICY],
    ['both sides allow, everyone', [ADMINISTRATOR], policy(keyStatement()), BY_IDENTITY_POLICY],
    ['only the key policy allows, by name', [], NAMES_EVE, IDENTITY_SILENT],
    ['only the key policy allows everyone', [], policy(keyStatement()), IDENTITY_SILENT],
    ['only the identity policy allows', [ADMINISTRATOR], DELEGATES, RESOURCE_SILENT],
    ['the key does not exist', [ADMINISTRATOR], null, RESOURCE_SILENT],
    ['the identity policy denies', [ADMINISTRATOR, DENIES_ALL], NAMES_EVE, IDENTITY_DENIES],
    ['the key policy denies', [ADMINISTRATOR], KEY_DENIES_ALL, RESOURCE_DENIES],
    ['neither side says anything', [], DELEGATES, IDENTITY_SILENT],
  ])('%s', (_, policies, resourcePolicy, expected) => {
    expect(stranger(policies, resourcePolicy)).toBe(expected)
  })

  test.each([
    'kms:PutKeyPolicy',
    'kms:ScheduleKeyDeletion',
    'kms:GetKeyPolicy',
    'kms:EnableKey',
    'kms:CreateAlias',
    'kms:TagResource',
  ])('%s is never allowed, whatever the policies say', (action) => {
    expect(stranger([ADMINISTRATOR], policy(keyStatement()), action)).toBe(RESOURCE_SILENT)
  })

  test.each([
    'kms:Decrypt',
    'kms:ReEncryptFrom',
    'kms:GenerateDataKey',
    'kms:DescribeKey',
    'kms:GetKeyRotationStatus',
  ])('%s can be allowed', (action) => {
    expect(stranger([ADMINISTRATOR], policy(keyStatement()), action)).toBe(BY_IDENTITY_POLICY)
  })

  test('shows no one whether it exists: the refusal is the same', () => {
    const identities = [[], [ADMINISTRATOR], [DENIES_ALL], [NOTHING]]
    const refusal = (policies: readonly string[], resourcePolicy: string | null) => {
      const request = givenRequest({ caller: givenStranger(policies), resourcePolicy })
      const decision = decide(request)
      return decision.allowed ? 'allowed' : deniedText(request, decision)
    }
    for (const policies of identities) {
      const absent = refusal(policies, null)
      for (const present of [DELEGATES, KEY_DENIES_ALL, NAMES_BOB]) {
        expect(refusal(policies, present)).toBe(absent)
      }
    }
  })
})

describe('a grant', () => {
  const BY_GRANT = 'allowed by grant'
  const own = (grant: GrantEffect | null, policies: readonly string[], resourcePolicy: string) =>
    word(decide(givenRequest({ caller: givenCaller(policies), resourcePolicy }), grant))
  const foreign = (
    grant: GrantEffect,
    policies: readonly string[],
    resourcePolicy: string | null,
  ) => word(decide(givenRequest({ caller: givenStranger(policies), resourcePolicy }), grant))

  test.each<[string, GrantEffect | null, readonly string[], string, string]>([
    ['allows where all are silent', 'allows', [], NAMES_BOB, BY_GRANT],
    ['allows where the key is left to the account', 'allows', [NOTHING], DELEGATES, BY_GRANT],
    ['is nothing against an identity denial', 'allows', [DENIES_ALL], DELEGATES, IDENTITY_DENIES],
    ['is nothing against a key denial', 'allows', [ADMINISTRATOR], KEY_DENIES_ALL, RESOURCE_DENIES],
    ['for the account needs permission', 'needs-identity', [], NAMES_BOB, IDENTITY_SILENT],
    ['for the account with permission', 'needs-identity', [ADMINISTRATOR], NAMES_BOB, BY_GRANT],
    ['is needed', null, [ADMINISTRATOR], NAMES_BOB, RESOURCE_SILENT],
  ])('within an account %s', (_, grant, policies, resourcePolicy, expected) => {
    expect(own(grant, policies, resourcePolicy)).toBe(expected)
  })

  test.each<[string, GrantEffect, readonly string[], string, string]>([
    ['of the own account allows', 'allows', [], DELEGATES, BY_GRANT],
    ['is nothing against a denial of its own', 'allows', [DENIES_ALL], DELEGATES, IDENTITY_DENIES],
    ['is nothing against a key denial', 'allows', [], KEY_DENIES_ALL, RESOURCE_DENIES],
    ['of the key needs permission', 'needs-identity', [], DELEGATES, IDENTITY_SILENT],
    ['of the key with permission', 'needs-identity', [ADMINISTRATOR], DELEGATES, BY_GRANT],
  ])('across accounts %s', (_, grant, policies, resourcePolicy, expected) => {
    expect(foreign(grant, policies, resourcePolicy)).toBe(expected)
  })

  test('does not open to other accounts what they never may', () => {
    const caller = givenStranger([ADMINISTRATOR])
    const request = givenRequest({ caller, action: 'kms:PutKeyPolicy' })
    expect(word(decide(request, 'allows'))).toBe(RESOURCE_SILENT)
  })
})

describe('what is not under a key policy', () => {
  const OBJECT = { arn: 'arn:aws:s3:::books/a', account: ACCOUNT }
  const asService = (difference: Partial<AccessRequest>) =>
    decided({
      style: 'service',
      resourcePolicy: null,
      action: 's3:GetObject',
      resource: OBJECT,
      ...difference,
    })

  test.each<[string, readonly string[], string | null, string]>([
    ['identity silent', [], null, IDENTITY_SILENT],
    ['identity allows', [ADMINISTRATOR], null, BY_IDENTITY_POLICY],
    ['identity denies', [ADMINISTRATOR, DENIES_ALL], null, IDENTITY_DENIES],
    [
      'identity silent, resource policy names the caller',
      [],
      policy(keyStatement({ Principal: { AWS: ALICE }, Action: 's3:*' })),
      BY_KEY_POLICY,
    ],
    [
      'identity silent, resource policy names the account',
      [],
      policy(keyStatement({ Principal: { AWS: ROOT }, Action: 's3:*' })),
      IDENTITY_SILENT,
    ],
    [
      'identity allows, resource policy silent',
      [ADMINISTRATOR],
      policy(keyStatement({ Principal: { AWS: OTHER_ROOT } })),
      BY_IDENTITY_POLICY,
    ],
    [
      'identity allows, resource policy denies',
      [ADMINISTRATOR],
      policy(keyStatement({ Effect: 'Deny', Action: '*' })),
      RESOURCE_DENIES,
    ],
  ])('%s', (_, policies, resourcePolicy, expected) => {
    expect(asService({ caller: givenCaller(policies), resourcePolicy })).toBe(expected)
  })

  test('belongs to another account: both sides must allow', () => {
    const open = policy(keyStatement({ Action: '*' }))
    expect(asService({ caller: givenStranger([ADMINISTRATOR]) })).toBe(RESOURCE_SILENT)
    expect(asService({ caller: givenStranger([ADMINISTRATOR]), resourcePolicy: open })).toBe(
      BY_IDENTITY_POLICY,
    )
    expect(asService({ caller: givenStranger(), resourcePolicy: open })).toBe(IDENTITY_SILENT)
  })

  test.each<[string, Json, string]>([
    ['*', { Resource: '*' }, BY_IDENTITY_POLICY],
    ['a pattern of keys', { Resource: 'arn:aws:kms:*:*:*' }, IDENTITY_SILENT],
    ['a short ARN', { Resource: 'arn:aws:kms' }, IDENTITY_SILENT],
    ['all but some key', { Resource: undefined, NotResource: KEY_ARN }, BY_IDENTITY_POLICY],
    ['all but everything', { Resource: undefined, NotResource: '*' }, IDENTITY_SILENT],
  ])('an operation without resource under the resource %s', (_, difference, expected) => {
    const caller = givenCaller([policy(statement(difference))])
    expect(asService({ caller, action: 'kms:ListKeys', resource: null })).toBe(expected)
  })

  test('alias operations need the alias ARN as resource', () => {
    const alias = { arn: 'arn:aws:kms:us-east-1:111122223333:alias/app', account: ACCOUNT }
    const ask = (Resource: string) =>
      asService({
        caller: givenCaller([policy(statement({ Action: 'kms:CreateAlias', Resource }))]),
        action: 'kms:CreateAlias',
        resource: alias,
      })
    expect(ask('arn:aws:kms:us-east-1:111122223333:alias/*')).toBe(BY_IDENTITY_POLICY)
    expect(ask('arn:aws:kms:us-east-1:111122223333:key/*')).toBe(IDENTITY_SILENT)
  })
})

describe('the elements of an identity policy', () => {
  test.each<[Json, string]>([
    [{ Action: 'kms:Encrypt' }, BY_IDENTITY_POLICY],
    [{ Action: 'KMS:encrypt' }, BY_IDENTITY_POLICY],
    [{ Action: 'kms:En*' }, BY_IDENTITY_POLICY],
    [{ Action: 'kms:?NCRYPT' }, BY_IDENTITY_POLICY],
    [{ Action: '*:*' }, BY_IDENTITY_POLICY],
    [{ Action: ['s3:*', 'kms:Encrypt'] }, BY_IDENTITY_POLICY],
    [{ Action: 'kms:Encryp' }, IDENTITY_SILENT],
    [{ Action: 'kms:Encrypt?' }, IDENTITY_SILENT],
    [{ Action: 'kms:De*' }, IDENTITY_SILENT],
    [{ Action: 's3:*' }, IDENTITY_SILENT],
    [{ Action: undefined, NotAction: 'kms:Decrypt' }, BY_IDENTITY_POLICY],
    [{ Action: undefined, NotAction: ['s3:*', 'kms:En*'] }, IDENTITY_SILENT],
    [{ Action: undefined, NotAction: '*' }, IDENTITY_SILENT],
    [{ Resource: KEY_ARN }, BY_IDENTITY_POLICY],
    [{ Resource: ['arn:aws:s3:::x', KEY_ARN] }, BY_IDENTITY_POLICY],
    [{ Resource: 'arn:aws:kms:*:111122223333:key/*' }, BY_IDENTITY_POLICY],
    [{ Resource: 'arn:aws:kms:us-east-1:111122223333:alias/app' }, IDENTITY_SILENT],
    [{ Resource: 'arn:aws:kms:eu-west-1:111122223333:key/*' }, IDENTITY_SILENT],
    [{ Resource: undefined, NotResource: 'arn:aws:s3:::*' }, BY_IDENTITY_POLICY],
    [{ Resource: undefined, NotResource: 'arn:aws:kms:*:*:key/*' }, IDENTITY_SILENT],
  ])('an Allow with %j', (difference, expected) => {
    expect(decided({ caller: givenCaller([policy(statement(difference))]) })).toBe(expected)
  })

  test('a Deny on the specific operation does not reach a broader one, and the other way round', () => {
    const denies = (Action: string) =>
      givenCaller([ADMINISTRATOR, policy(statement({ Effect: 'Deny', Action }))])
    expect(
      decided({ caller: denies('kms:GenerateDataKey'), action: 'kms:GenerateDataKeyPair' }),
    ).toBe(BY_IDENTITY_POLICY)
    expect(
      decided({ caller: denies('kms:GenerateDataKey*'), action: 'kms:GenerateDataKeyPair' }),
    ).toBe(IDENTITY_DENIES)
    expect(
      decided({
        caller: denies('kms:List*'),
        action: 'kms:ListKeys',
        resource: null,
        style: 'service',
      }),
    ).toBe(IDENTITY_DENIES)
  })

  test('a Deny with NotAction is a list of what stays allowed', () => {
    const caller = givenCaller([
      ADMINISTRATOR,
      policy(without('Action', statement({ Effect: 'Deny', NotAction: 'kms:Encrypt' }))),
    ])
    expect(decided({ caller })).toBe(BY_IDENTITY_POLICY)
    expect(decided({ caller, action: 'kms:Decrypt' })).toBe(IDENTITY_DENIES)
  })

  test('a Deny with StringNotEquals bites when the key is missing', () => {
    const caller = givenCaller([
      ADMINISTRATOR,
      policy(
        statement({
          Effect: 'Deny',
          Condition: { StringNotEquals: { 'kms:EncryptionContext:app': 'x' } },
        }),
      ),
    ])
    expect(decided({ caller })).toBe(IDENTITY_DENIES)
    expect(decided({ caller, context: contextOf(['kms:EncryptionContext:app', 'x']) })).toBe(
      BY_IDENTITY_POLICY,
    )
  })

  test('an Allow with ForAllValues lets an empty set in', () => {
    const caller = givenCaller([
      policy(statement({ Condition: { 'ForAllValues:StringEquals': { 'aws:TagKeys': 'a' } } })),
    ])
    expect(decided({ caller })).toBe(BY_IDENTITY_POLICY)
    expect(decided({ caller, context: contextOf(['aws:TagKeys', ['a', 'b']]) })).toBe(
      IDENTITY_SILENT,
    )
  })
})

describe('variables in resources', () => {
  const OBJECT = { arn: 'arn:aws:s3:::home/alice/x', account: ACCOUNT }
  const ask = (statements: readonly Json[], userName?: string) =>
    decided({
      style: 'service',
      resourcePolicy: null,
      action: 's3:GetObject',
      resource: OBJECT,
      caller: givenCaller([policy(statements)]),
      context: contextOf(['aws:username', userName]),
    })
  const HOME = `arn:aws:s3:::home/\${aws:username}/*`

  test('stand for the value that the request has', () => {
    expect(ask([statement({ Resource: HOME })], 'alice')).toBe(BY_IDENTITY_POLICY)
    expect(ask([statement({ Resource: HOME })], 'bob')).toBe(IDENTITY_SILENT)
  })

  test('stand for literal text, whatever it contains', () => {
    for (const name of ['*', '?????', '*/*', 'alice/x/..']) {
      expect(ask([statement({ Resource: HOME })], name)).toBe(IDENTITY_SILENT)
    }
  })

  test('without a value cover nothing', () => {
    expect(ask([statement({ Resource: HOME })])).toBe(IDENTITY_SILENT)
    expect(ask([statement({ Resource: [HOME, 'arn:aws:s3:::home/*'] })])).toBe(BY_IDENTITY_POLICY)
    expect(ask([statement(), statement({ Effect: 'Deny', Resource: HOME })])).toBe(
      BY_IDENTITY_POLICY,
    )
  })

  test('without a value under NotResource deny, and do not allow', () => {
    const all = (effect: string) =>
      without('Resource', statement({ Effect: effect, NotResource: HOME }))
    expect(ask([all('Allow')])).toBe(IDENTITY_SILENT)
    expect(ask([statement(), all('Deny')])).toBe(IDENTITY_DENIES)
    expect(ask([all('Allow')], 'bob')).toBe(BY_IDENTITY_POLICY)
    expect(ask([statement(), all('Deny')], 'alice')).toBe(BY_IDENTITY_POLICY)
  })
})

describe('the principals of a key policy', () => {
  const direct = (Principal: unknown) =>
    decided({
      resourcePolicy: policy(keyStatement({ Principal })),
      caller: givenCaller([ADMINISTRATOR]),
    })

  test.each<[unknown, string]>([
    ['*', BY_KEY_POLICY],
    [{ AWS: '*' }, BY_KEY_POLICY],
    [{ AWS: ALICE }, BY_KEY_POLICY],
    [{ AWS: ['arn:aws:iam::111122223333:user/bob', ALICE] }, BY_KEY_POLICY],
    [{ AWS: ALICE_ID }, BY_KEY_POLICY],
    [{ AWS: '111122223333' }, BY_IDENTITY_POLICY],
    [{ AWS: ROOT }, BY_IDENTITY_POLICY],
    [{ AWS: 'arn:aws:iam::111122223333:user/alice' }, RESOURCE_SILENT],
    [{ AWS: 'arn:aws:iam::111122223333:user/team/Alice' }, RESOURCE_SILENT],
    [{ AWS: 'arn:aws:iam::444455556666:user/team/alice' }, RESOURCE_SILENT],
    [{ AWS: 'arn:aws:iam::111122223333:role/team/alice' }, RESOURCE_SILENT],
    [{ AWS: 'arn:aws:sts::111122223333:federated-user/alice' }, RESOURCE_SILENT],
    [{ AWS: 'AIDASOMEONEELSEEXAMPL' }, RESOURCE_SILENT],
    [{ Service: 's3.amazonaws.com' }, RESOURCE_SILENT],
  ])('an Allow for %j', (Principal, expected) => {
    expect(direct(Principal)).toBe(expected)
  })

  test.each<[unknown, string]>([
    ['*', RESOURCE_DENIES],
    [{ AWS: ALICE }, RESOURCE_DENIES],
    [{ AWS: ALICE_ID }, RESOURCE_DENIES],
    [{ AWS: ROOT }, RESOURCE_DENIES],
    [{ AWS: '111122223333' }, RESOURCE_DENIES],
    [{ AWS: OTHER_ROOT }, BY_KEY_POLICY],
    [{ AWS: 'arn:aws:iam::111122223333:user/bob' }, BY_KEY_POLICY],
    [{ Service: 's3.amazonaws.com' }, BY_KEY_POLICY],
  ])('a Deny for %j', (Principal, expected) => {
    const resourcePolicy = policy([keyStatement(), keyStatement({ Effect: 'Deny', Principal })])
    expect(decided({ resourcePolicy })).toBe(expected)
  })

  test.each<[unknown, string]>([
    [{ AWS: [ALICE, ROOT] }, BY_KEY_POLICY],
    [{ AWS: [ALICE_ID, '111122223333'] }, BY_KEY_POLICY],
    ['*', BY_KEY_POLICY],
    [{ AWS: ALICE }, RESOURCE_DENIES],
    [{ AWS: ROOT }, RESOURCE_DENIES],
    [{ AWS: ['arn:aws:iam::111122223333:user/bob', ROOT] }, RESOURCE_DENIES],
    [{ Service: 's3.amazonaws.com' }, RESOURCE_DENIES],
  ])('a Deny for all but %j', (NotPrincipal, expected) => {
    const denies = without('Principal', keyStatement({ Effect: 'Deny', NotPrincipal }))
    expect(decided({ resourcePolicy: policy([keyStatement(), denies]) })).toBe(expected)
  })

  test('who comes back under an old name is not who the stable id stands for', () => {
    const resourcePolicy = policy(keyStatement({ Principal: { AWS: ALICE_ID } }))
    const newId = principalIdOf('AIDANEWALICEEXAMPLE00')
    const caller = givenCaller([ADMINISTRATOR], { principalId: newId, userId: newId })
    expect(decided({ resourcePolicy, caller })).toBe(RESOURCE_SILENT)
  })
})

describe('the resource of a key policy', () => {
  test.each<[Json, string]>([
    [{ Resource: '*' }, BY_KEY_POLICY],
    [{ Resource: KEY_ARN }, BY_KEY_POLICY],
    [{ Resource: KEY_ARN.replace(/.$/, 'c') }, RESOURCE_SILENT],
    [{ Resource: undefined }, RESOURCE_SILENT],
    [{ Action: undefined }, RESOURCE_SILENT],
  ])('an Allow with %j', (difference, expected) => {
    const resourcePolicy = policy(keyStatement(difference))
    expect(decided({ resourcePolicy, caller: givenCaller([ADMINISTRATOR]) })).toBe(expected)
  })
})

describe('the context', () => {
  const refuse = () => {
    throw new Error('no one should ask')
  }

  test('is not built while no condition and no variable asks', () => {
    expect(decided({ caller: givenCaller([ADMINISTRATOR]), context: refuse })).toBe(
      BY_IDENTITY_POLICY,
    )
    expect(
      decided({
        caller: givenCaller([
          ADMINISTRATOR,
          policy(
            statement({ Effect: 'Deny', Action: 's3:*', Condition: { Bool: { 'my:key': true } } }),
          ),
        ]),
        context: refuse,
      }),
    ).toBe(BY_IDENTITY_POLICY)
  })

  test('that cannot be built allows nothing', () => {
    const resourcePolicy = policy([
      keyStatement(),
      keyStatement({ Effect: 'Deny', Condition: { Bool: { 'my:key': true } } }),
    ])
    expect(() => decided({ resourcePolicy, context: refuse })).toThrow(EvaluationError)
  })
})

describe('a policy that does not compile', () => {
  test.each<[string, Partial<AccessRequest>]>([
    ['of the key', { resourcePolicy: '{', caller: givenCaller([ADMINISTRATOR]) }],
    [
      'of the caller',
      { resourcePolicy: policy(keyStatement()), caller: givenCaller([ADMINISTRATOR, '{']) },
    ],
  ])('%s makes the evaluation fail, with the cause', (_, difference) => {
    const attempt = () => decide(givenRequest(difference))
    expect(attempt).toThrow(EvaluationError)
    expect(attempt).toThrow(expect.objectContaining({ cause: expect.any(PolicyProblem) }))
  })

  test('is not needed for a resource that is no ARN to fail', () => {
    const resource = { arn: 'key/1', account: ACCOUNT }
    expect(() => decided({ resource, resourcePolicy: policy(keyStatement()) })).toThrow(
      EvaluationError,
    )
  })
})
