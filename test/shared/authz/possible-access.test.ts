import { describe, expect, test } from 'vitest'
import { conditionContext } from '../../../shared/authz/condition-context.ts'
import { type AccessRequest, decide } from '../../../shared/authz/decide.ts'
import { type PossibleGrant, possibleAccess } from '../../../shared/authz/possible-access.ts'
import {
  ADMINISTRATOR,
  ALICE,
  DELEGATES,
  givenCaller,
  givenRequest,
  givenStranger,
  keyStatement,
  policy,
  statement,
} from './given.ts'

const ENCRYPTS_FOR_LEDGER = policy(
  statement({
    Action: 'kms:Encrypt',
    Condition: { StringEquals: { 'kms:EncryptionContext:App': 'ledger' } },
  }),
)
const GRANT: PossibleGrant = { grantId: 'g', effect: 'allows', constrained: false }

const possibility = (difference: Partial<AccessRequest>, grants: readonly PossibleGrant[] = []) =>
  possibleAccess(givenRequest(difference), grants).possibility

describe('what a principal may do', () => {
  test.each([
    ['without any policy: never', {}, 'never'],
    [
      'under an Allow without conditions: always',
      { caller: givenCaller([ADMINISTRATOR]) },
      'always',
    ],
    [
      'under an Allow that asks for the request: if it is as asked for',
      { caller: givenCaller([ENCRYPTS_FOR_LEDGER]) },
      'conditional',
    ],
    [
      'under a Deny that asks for the request: unless it is as asked for',
      {
        caller: givenCaller([
          policy([
            statement(),
            statement({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
          ]),
        ]),
      },
      'conditional',
    ],
    [
      'under a Deny without conditions: never',
      { caller: givenCaller([policy([statement(), statement({ Effect: 'Deny' })])]) },
      'never',
    ],
    [
      'under a condition that asks for the principal itself: as it is',
      {
        caller: givenCaller([
          policy(statement({ Condition: { ArnEquals: { 'aws:PrincipalArn': ALICE } } })),
        ]),
        context: () => conditionContext([['aws:PrincipalArn', ALICE]]),
      },
      'always',
    ],
    [
      'under a condition that asks for another principal: never',
      {
        caller: givenCaller([
          policy(statement({ Condition: { ArnEquals: { 'aws:PrincipalArn': `${ALICE}2` } } })),
        ]),
        context: () => conditionContext([['aws:PrincipalArn', ALICE]]),
      },
      'never',
    ],
    [
      'outside of its boundary: never',
      {
        caller: givenCaller([ADMINISTRATOR], {
          boundary: { name: 'boundary', document: policy(statement({ Action: 's3:*' })) },
        }),
      },
      'never',
    ],
    [
      'on a key whose policy leaves it to nobody: never',
      {
        caller: givenCaller([ADMINISTRATOR]),
        resourcePolicy: policy(keyStatement({ Principal: { AWS: `${ALICE}2` } })),
      },
      'never',
    ],
    [
      'of another account that nobody lets in: never',
      { caller: givenStranger([ADMINISTRATOR]), resourcePolicy: DELEGATES },
      'never',
    ],
  ] as const)('%s', (_, difference, expected) => {
    expect(possibility(difference)).toBe(expected)
  })

  test('by a grant: always, and under its constraints only when it has some', () => {
    expect(possibility({}, [GRANT])).toBe('always')
    expect(possibility({}, [{ ...GRANT, constrained: true }])).toBe('conditional')
  })

  test('names the statements that count, with the conditions that are open', () => {
    const { statements } = possibleAccess(
      givenRequest({
        caller: givenCaller([ENCRYPTS_FOR_LEDGER, policy(statement({ Action: 's3:*' }))]),
      }),
    )
    expect(
      statements.map(({ layer, policy: name, conditions }) => [
        layer,
        name,
        conditions.map(({ key }) => key),
      ]),
    ).toEqual([
      ['resource', null, []],
      ['identity', 'policy-0', ['kms:EncryptionContext:App']],
    ])
  })

  test('never contradicts the decision on a request', () => {
    const contexts = [undefined, 'ledger', 'other'].map((app) =>
      conditionContext([['kms:EncryptionContext:App', app]]),
    )
    const deny = policy([
      statement(),
      statement({
        Effect: 'Deny',
        Condition: { StringNotEquals: { 'kms:EncryptionContext:App': 'ledger' } },
      }),
    ])
    for (const policies of [[], [ADMINISTRATOR], [ENCRYPTS_FOR_LEDGER], [deny]]) {
      const request = givenRequest({ caller: givenCaller(policies) })
      const answers = contexts.map(
        (context) => decide({ ...request, context: () => context }).allowed,
      )
      const { possibility: told } = possibleAccess(request)
      if (told === 'always') expect(answers).toEqual([true, true, true])
      if (told === 'never') expect(answers).toEqual([false, false, false])
      if (told === 'conditional') expect(new Set(answers).size).toBe(2)
    }
  })
})
