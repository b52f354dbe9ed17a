import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decide, EvaluationError, type GrantEffect } from '../../../shared/authz/decide.ts'
import { type ConsideredGrant, explain } from '../../../shared/authz/explain.ts'
import { drawnAccess, requestOf } from './arbitrary-access.ts'
import {
  ADMINISTRATOR,
  ALICE,
  boundary,
  contextOf,
  DELEGATES,
  documents,
  givenCaller,
  givenRequest,
  givenSession,
  KEY_ARN,
  keyStatement,
  policy,
  ROOT,
  statement,
  without,
} from './given.ts'

const grant = (effect: GrantEffect | null, failed: string | null = null): ConsideredGrant => ({
  grantId: 'a'.repeat(64),
  effect,
  failed,
})

test('the decision that is explained is the decision that is made', () => {
  let allowed = 0
  fc.assert(
    fc.property(drawnAccess, (drawn) => {
      const request = requestOf(drawn)
      const decision = decide(request, drawn.grant)
      const grants = drawn.grant === null ? [] : [grant(null), grant(drawn.grant)]
      expect(explain(request, grants).decision).toEqual(decision)
      if (decision.allowed) allowed += 1
    }),
    { numRuns: 3000 },
  )
  expect(allowed).toBeGreaterThan(100)
})

test('every statement of every policy is shown, in order, and matches or says why not', () => {
  fc.assert(
    fc.property(drawnAccess, (drawn) => {
      const { statements } = explain(requestOf(drawn))
      const { key, identity, boundary: limit, session } = drawn
      const expected = Object.entries({ resource: key, identity, boundary: limit, session })
      expect(statements.map(({ layer, index, effect }) => ({ layer, index, effect }))).toEqual(
        expected.flatMap(([layer, written]) =>
          (written ?? []).map(({ Effect }, index) => ({ layer, index, effect: Effect })),
        ),
      )
      for (const { matched, failed } of statements) expect(failed.length === 0).toBe(matched)
    }),
    { numRuns: 500 },
  )
})

test('a matching Deny is where an explicit deny comes from', () => {
  const layers = {
    resource: ['resource-based', 'role-trust'],
    identity: ['identity-based'],
    boundary: ['permissions-boundary'],
    session: ['session'],
  } as const
  fc.assert(
    fc.property(drawnAccess, (drawn) => {
      const { decision, statements } = explain(requestOf(drawn))
      const denials = statements.filter(({ matched, effect }) => matched && effect === 'Deny')
      if (decision.allowed) expect(denials).toEqual([])
      else if (decision.reason === 'explicit-deny') {
        const sides: readonly string[] = denials.flatMap(({ layer }) => layers[layer])
        expect(sides).toContain(decision.where)
      }
    }),
    { numRuns: 1000 },
  )
})

describe('an explanation', () => {
  const request = givenRequest({
    caller: givenSession(
      [
        policy([
          statement({ Sid: 'Objects', Action: ['s3:*', 'kms:Decrypt'] }),
          statement({ NotResource: KEY_ARN, Resource: undefined }),
        ]),
        policy(
          statement({
            Sid: 'ForTheLedger',
            Condition: {
              StringEquals: { 'kms:EncryptionContext:App': ['ledger', `\${aws:userid}`] },
              Bool: { 'aws:SecureTransport': 'true' },
              'ForAnyValue:StringLike': { 'kms:EncryptionContextKeys': 'T*' },
              StringEqualsIfExists: { 'aws:RequestedRegion': 'eu-west-1' },
            },
          }),
        ),
      ],
      { boundary: boundary(ADMINISTRATOR), sessionPolicies: documents([ADMINISTRATOR]) },
    ),
    resourcePolicy: policy([
      keyStatement({ Sid: 'For Alice', Principal: { AWS: ALICE, Service: 's3.amazonaws.com' } }),
      keyStatement({ Principal: { AWS: ROOT } }),
      without('Resource', keyStatement()),
      {
        ...without('Principal', keyStatement({ Effect: 'Deny', Action: 'kms:Decrypt' })),
        NotPrincipal: { AWS: ALICE },
      },
    ]),
    context: contextOf(
      ['kms:EncryptionContext:App', 'Ledger'],
      ['aws:SecureTransport', 'true'],
      ['kms:EncryptionContextKeys', ['App', 'Region']],
    ),
  })

  test('says of every statement which element does not fit, and what was compared', () => {
    const { decision, statements } = explain(request)
    expect(decision).toEqual({
      allowed: false,
      reason: 'implicit-deny',
      where: 'identity-based',
    })
    expect(statements).toEqual([
      {
        layer: 'resource',
        policy: null,
        index: 0,
        sid: 'For Alice',
        effect: 'Allow',
        matched: false,
        addressed: null,
        failed: [{ element: 'principal', negated: false, wanted: [ALICE, 's3.amazonaws.com'] }],
      },
      {
        layer: 'resource',
        policy: null,
        index: 1,
        sid: null,
        effect: 'Allow',
        matched: true,
        addressed: 'account',
        failed: [],
      },
      {
        layer: 'resource',
        policy: null,
        index: 2,
        sid: null,
        effect: 'Allow',
        matched: false,
        addressed: 'caller',
        failed: [{ element: 'resource', negated: false, wanted: [] }],
      },
      {
        layer: 'resource',
        policy: null,
        index: 3,
        sid: null,
        effect: 'Deny',
        matched: false,
        addressed: 'caller',
        failed: [{ element: 'action', negated: false, wanted: ['kms:Decrypt'] }],
      },
      {
        layer: 'identity',
        policy: 'policy-0',
        index: 0,
        sid: 'Objects',
        effect: 'Allow',
        matched: false,
        addressed: null,
        failed: [{ element: 'action', negated: false, wanted: ['s3:*', 'kms:Decrypt'] }],
      },
      {
        layer: 'identity',
        policy: 'policy-0',
        index: 1,
        sid: null,
        effect: 'Allow',
        matched: false,
        addressed: null,
        failed: [{ element: 'resource', negated: true, wanted: [KEY_ARN] }],
      },
      {
        layer: 'identity',
        policy: 'policy-1',
        index: 0,
        sid: 'ForTheLedger',
        effect: 'Allow',
        matched: false,
        addressed: null,
        failed: [
          {
            element: 'condition',
            operator: 'StringEquals',
            key: 'kms:EncryptionContext:App',
            wanted: ['ledger', `\${aws:userid}`],
            given: ['Ledger'],
          },
          {
            element: 'condition',
            operator: 'ForAnyValue:StringLike',
            key: 'kms:EncryptionContextKeys',
            wanted: ['T*'],
            given: ['App', 'Region'],
          },
        ],
      },
      {
        layer: 'boundary',
        policy: 'Boundary',
        index: 0,
        sid: null,
        effect: 'Allow',
        matched: true,
        addressed: null,
        failed: [],
      },
      {
        layer: 'session',
        policy: 'policy-0',
        index: 0,
        sid: null,
        effect: 'Allow',
        matched: true,
        addressed: null,
        failed: [],
      },
    ])
  })

  test('says that a request has no such key', () => {
    const condition = { StringEquals: { 'kms:ViaService': 's3.us-east-1.amazonaws.com' } }
    const caller = givenCaller([policy(statement({ Condition: condition }))])
    const [, only] = explain(givenRequest({ caller, resourcePolicy: DELEGATES })).statements
    expect(only?.failed).toEqual([
      {
        element: 'condition',
        operator: 'StringEquals',
        key: 'kms:ViaService',
        wanted: ['s3.us-east-1.amazonaws.com'],
        given: null,
      },
    ])
  })

  test('has the grants that were looked at, and decides by the strongest', () => {
    const caller = givenCaller()
    const other = policy(keyStatement({ Principal: { AWS: `${ALICE}x` } }))
    const grants = [grant(null, 'The encryption context differs.'), grant('allows')]
    const explanation = explain(givenRequest({ caller, resourcePolicy: other }), grants)
    expect(explanation.decision).toEqual({ allowed: true, by: 'grant' })
    expect(explanation.grants).toEqual(grants)
  })

  test('cannot be had of a policy that does not compile', () => {
    expect(() => explain(givenRequest({ resourcePolicy: '{' }))).toThrow(EvaluationError)
  })
})
