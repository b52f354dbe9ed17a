import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  coversUse,
  effectFor,
  isGrantable,
  isWithin,
  retirementEffect,
} from '../../../shared/keys/grants.ts'
import {
  GRANT_OPERATIONS,
  type GrantConstraints,
  type GrantOperation,
  type GrantRecord,
} from '../../../shared/store/records.ts'
import { ACCOUNT, CALLER, OTHER_ACCOUNT } from '../../support/audit-records.ts'

// Few names and values, so that what is drawn often meets; names that mean something to JavaScript too.
const pairs = fc.dictionary(
  fc.constantFrom('a', 'b', '__proto__', 'toString'),
  fc.constantFrom('', '1'),
  {
    noNullPrototype: false,
  },
)
const constraints: fc.Arbitrary<GrantConstraints | null> = fc.oneof(
  fc.constant(null),
  pairs.map((context) => ({ encryptionContextEquals: context })),
  pairs.map((context) => ({ encryptionContextSubset: context })),
  fc.constantFrom('arn:a', 'arn:b').map((sourceArn) => ({ sourceArn })),
)
const operations = fc.subarray<GrantOperation>([
  'Encrypt',
  'Decrypt',
  'DescribeKey',
  'CreateGrant',
  'RetireGrant',
])
const allowance = fc.record({ operations, constraints })

describe('A grant that is within another', () => {
  test('allows nothing that the other does not', () => {
    fc.assert(
      fc.property(
        allowance,
        allowance,
        fc.constantFrom(...GRANT_OPERATIONS),
        pairs,
        (child, parent, operation, context) => {
          if (!isWithin(child, parent) || !coversUse(child, `kms:${operation}`, context)) return
          expect(coversUse(parent, `kms:${operation}`, context)).toBe(true)
        },
      ),
      { numRuns: 2000 },
    )
  })

  test('is itself within it, and whatever is within it is within the other too', () => {
    fc.assert(
      fc.property(allowance, allowance, allowance, (one, two, three) => {
        expect(isWithin(one, one)).toBe(true)
        if (isWithin(one, two) && isWithin(two, three)) expect(isWithin(one, three)).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })

  test('keeps the source', () => {
    const sourced = { operations: [], constraints: { sourceArn: 'arn:a' } }
    expect(isWithin(sourced, { operations: [], constraints: null })).toBe(true)
    expect(isWithin({ operations: [], constraints: null }, sourced)).toBe(false)
    const another = { operations: [], constraints: { sourceArn: 'arn:b' } }
    expect(isWithin(another, sourced)).toBe(false)
  })
})

test('A constraint holds as documented, for every context', () => {
  fc.assert(
    fc.property(pairs, pairs, (wanted, given) => {
      const entries = (of: Readonly<Record<string, string>>) =>
        Object.entries(of).map((entry) => JSON.stringify(entry))
      const [want, have] = [entries(wanted), new Set(entries(given))]
      const includes = want.every((entry) => have.has(entry))
      const covers = (constraint: GrantConstraints) =>
        coversUse({ operations: ['Decrypt'], constraints: constraint }, 'kms:Decrypt', given)
      expect(covers({ encryptionContextSubset: wanted })).toBe(includes)
      expect(covers({ encryptionContextEquals: wanted })).toBe(
        includes && want.length === have.size,
      )
    }),
  )
})

test('Only what a grant can allow is looked for among grants', () => {
  expect(GRANT_OPERATIONS.every((operation) => isGrantable(`kms:${operation}`))).toBe(true)
  for (const action of ['kms:PutKeyPolicy', 'kms:RevokeGrant', 'kms:ListGrants', 'kms:', 'Encrypt'])
    expect(isGrantable(action)).toBe(false)
})

describe('What a grant does for its caller', () => {
  const CALLER_NAME = `${ACCOUNT}/${CALLER.principalId}`
  const grant = (differs: Partial<GrantRecord>) =>
    ({
      account: ACCOUNT,
      issuingAccount: ACCOUNT,
      grantee: `${ACCOUNT}/AIDABOB`,
      retiring: null,
      operations: ['Encrypt'],
      constraints: null,
      breakGlassUntil: null,
      ...differs,
    }) as GrantRecord
  const FOREIGN = { account: OTHER_ACCOUNT, issuingAccount: OTHER_ACCOUNT }

  test.for<[string, Partial<GrantRecord>, ReturnType<typeof effectFor>]>([
    ['for somebody else', {}, null],
    ['for the caller', { grantee: CALLER_NAME }, 'allows'],
    ['for the account', { grantee: ACCOUNT }, 'needs-identity'],
    [
      'for the same id in another account',
      { grantee: CALLER_NAME.replace(ACCOUNT, OTHER_ACCOUNT) },
      null,
    ],
    ['on a foreign key', { ...FOREIGN, grantee: CALLER_NAME }, 'needs-identity'],
    ['on a foreign key, for the account', { ...FOREIGN, grantee: ACCOUNT }, 'needs-identity'],
    ['on a foreign key, made here', { account: OTHER_ACCOUNT, grantee: CALLER_NAME }, 'allows'],
    [
      'on an own key, made elsewhere',
      { issuingAccount: OTHER_ACCOUNT, grantee: CALLER_NAME },
      'allows',
    ],
  ])('%s', ([, differs, effect]) => {
    expect(effectFor(grant(differs), CALLER)).toBe(effect)
  })

  const RETIRABLE: Partial<GrantRecord> = { operations: ['Encrypt', 'RetireGrant'] }
  const ELSEWHERE = { issuingAccount: OTHER_ACCOUNT }
  test.for<[string, Partial<GrantRecord>, ReturnType<typeof effectFor>]>([
    ['by the retiring principal', { ...ELSEWHERE, retiring: CALLER_NAME }, 'allows'],
    ['by its account', { ...ELSEWHERE, retiring: ACCOUNT }, 'needs-identity'],
    ['by the grantee who may', { ...ELSEWHERE, ...RETIRABLE, grantee: CALLER_NAME }, 'allows'],
    [
      'by the account of grantees who may',
      { ...ELSEWHERE, ...RETIRABLE, grantee: ACCOUNT },
      'needs-identity',
    ],
    ['by a grantee who may not', { ...ELSEWHERE, grantee: CALLER_NAME }, null],
    ['by the issuing account', {}, 'needs-identity'],
    ['by the account of the key alone', ELSEWHERE, null],
    [
      'by the retiring principal of a foreign key',
      { ...FOREIGN, retiring: CALLER_NAME },
      'needs-identity',
    ],
    ['by a stranger', FOREIGN, null],
  ])('to be retired %s', ([, differs, effect]) => {
    expect(retirementEffect(grant(differs), CALLER)).toBe(effect)
  })
})
