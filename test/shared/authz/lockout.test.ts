import { expect, test } from 'vitest'
import type { Caller } from '../../../shared/authn/caller.ts'
import { EvaluationError } from '../../../shared/authz/decide.ts'
import { defaultKeyPolicy } from '../../../shared/authz/default-key-policy.ts'
import { staysUpdatable } from '../../../shared/authz/lockout.ts'
import {
  ACCOUNT,
  ADMINISTRATOR,
  ALICE,
  contextOf,
  givenCaller,
  KEY_ARN,
  keyStatement,
  policy,
  ROOT,
  statement,
} from './given.ts'

const stays = (policyText: string, caller: Caller, context = contextOf()) =>
  staysUpdatable(caller, policyText, KEY_ARN, context)

const administrator = givenCaller([ADMINISTRATOR])

test.each<[string, string, Caller, boolean]>([
  ['names the caller', policy(keyStatement({ Principal: { AWS: ALICE } })), givenCaller(), true],
  ['leaves it to an account where the caller may', defaultKeyPolicy(ACCOUNT), administrator, true],
  [
    'leaves it to an account where the caller may not',
    defaultKeyPolicy(ACCOUNT),
    givenCaller(),
    false,
  ],
  [
    'leaves it to an account where the caller may do other things',
    defaultKeyPolicy(ACCOUNT),
    givenCaller([policy(statement({ Action: 'kms:CreateKey' }))]),
    false,
  ],
  [
    'names someone else',
    policy(keyStatement({ Principal: { AWS: 'arn:aws:iam::111122223333:user/bob' } })),
    administrator,
    false,
  ],
  [
    'allows everything else',
    policy(keyStatement({ Principal: { AWS: ALICE }, Action: ['kms:Encrypt', 'kms:Get*'] })),
    administrator,
    false,
  ],
  [
    'denies the caller',
    policy([
      keyStatement({ Principal: { AWS: ROOT } }),
      keyStatement({ Effect: 'Deny', Action: 'kms:Put*' }),
    ]),
    administrator,
    false,
  ],
  ['speaks of no resource', policy(keyStatement({ Resource: undefined })), administrator, false],
])('a key policy that %s: %#', (_, policyText, caller, expected) => {
  expect(stays(policyText, caller)).toBe(expected)
})

test('conditions are taken as they are for this request', () => {
  const document = policy(
    keyStatement({ Condition: { IpAddress: { 'aws:SourceIp': '203.0.113.0/24' } } }),
  )
  expect(stays(document, administrator, contextOf(['aws:SourceIp', '203.0.113.7']))).toBe(true)
  expect(stays(document, administrator, contextOf(['aws:SourceIp', '198.51.100.7']))).toBe(false)
})

test('a policy that does not compile is no answer', () => {
  expect(() => stays('{', administrator)).toThrow(EvaluationError)
})
