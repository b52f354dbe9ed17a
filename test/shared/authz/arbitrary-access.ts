/** Requests and policies of all kinds, drawn so that their parts often fit each other. */
import fc from 'fast-check'
import type { Caller } from '../../../shared/authn/caller.ts'
import type { AccessRequest, GrantEffect } from '../../../shared/authz/decide.ts'
import {
  ACCOUNT,
  ALICE,
  ALICE_ID,
  boundary,
  contextOf,
  documents,
  givenCaller,
  givenForeignSession,
  givenRequest,
  givenSession,
  givenStranger,
  KEY_ARN,
  OTHER_ROOT,
  policy,
  ROLE,
  ROLE_ID,
  ROOT,
  SESSION,
} from './given.ts'

export type Json = Readonly<Record<string, unknown>>

const action = fc.constantFrom<unknown>(
  'kms:Encrypt',
  'kms:*',
  'KMS:en*',
  'kms:De*',
  '*',
  's3:GetObject',
  ['kms:Decrypt', 'kms:Encrypt'],
)
const resource = fc.constantFrom<unknown>(
  '*',
  KEY_ARN,
  'arn:aws:kms:*:111122223333:key/*',
  'arn:aws:kms:*:*:alias/*',
  `arn:aws:kms:*:*:key/\${aws:PrincipalTag/key}`,
)
const condition = fc.constantFrom<Json>(
  {},
  { StringEquals: { 'my:key': 'a' } },
  { StringNotEquals: { 'my:key': ['a', 'b'] } },
  { StringLikeIfExists: { 'my:key': 'a*' } },
  { 'ForAllValues:StringEquals': { 'my:keys': ['a', 'b'] } },
  { 'ForAnyValue:StringNotEquals': { 'my:keys': 'a' } },
  { Null: { 'my:key': true } },
  { Bool: { 'aws:SecureTransport': 'true' }, StringEquals: { 'my:key': 'a' } },
)
const principal = fc.constantFrom<unknown>(
  '*',
  { AWS: ALICE },
  { AWS: ALICE_ID },
  { AWS: ROLE },
  { AWS: [SESSION, ALICE] },
  { AWS: `${ROLE_ID}:ci` },
  { AWS: ROOT },
  { AWS: OTHER_ROOT },
  { AWS: [ROOT, ROLE, SESSION, ALICE] },
  { Service: 's3.amazonaws.com' },
)
const effect = fc.constantFrom('Allow', 'Deny')
const sid = fc.constantFrom<string | undefined>(undefined, 'Some words')

type Names = Readonly<{ action: 'Action' | 'NotAction'; resource: 'Resource' | 'NotResource' }>
const mostly = <T>(usual: T, other: T) =>
  fc.integer({ min: 0, max: 4 }).map((n) => (n === 0 ? other : usual))
const names: fc.Arbitrary<Names> = fc.record({
  action: mostly('Action', 'NotAction' as 'Action' | 'NotAction'),
  resource: mostly('Resource', 'NotResource' as 'Resource' | 'NotResource'),
})

/** A statement of an identity, boundary or session policy. */
export const identityStatement: fc.Arbitrary<Json> = fc
  .tuple(names, effect, action, resource, condition)
  .map(([name, Effect, a, r, Condition]) => ({
    Effect,
    [name.action]: a,
    [name.resource]: r,
    Condition,
  }))

/** A statement of a key policy. */
export const keyPolicyStatement: fc.Arbitrary<Json> = fc
  .tuple(identityStatement, principal, fc.boolean(), sid)
  .map(([statement, who, negated, Sid]) => ({
    ...statement,
    ...(Sid === undefined ? {} : { Sid }),
    [negated && statement.Effect === 'Deny' ? 'NotPrincipal' : 'Principal']: who,
  }))

const statements = (one: fc.Arbitrary<Json>) => fc.array(one, { minLength: 1, maxLength: 4 })

/** The policies of one request, as their statements. */
export interface DrawnAccess {
  readonly who: 'alice' | 'session' | 'stranger' | 'foreign-session'
  readonly identity: readonly Json[]
  readonly boundary: readonly Json[] | null
  readonly session: readonly Json[] | null
  readonly key: readonly Json[]
  readonly value: string | undefined
  readonly values: readonly string[] | undefined
  readonly style: AccessRequest['style']
  readonly grant: GrantEffect | null
  readonly operator: boolean
}

export const drawnAccess: fc.Arbitrary<DrawnAccess> = fc.record({
  who: fc.constantFrom('alice', 'session', 'stranger', 'foreign-session'),
  identity: statements(identityStatement),
  boundary: fc.option(statements(identityStatement)),
  session: fc.option(statements(identityStatement)),
  key: statements(keyPolicyStatement),
  value: fc.constantFrom(undefined, 'a', 'ab', 'c'),
  values: fc.constantFrom<readonly string[] | undefined>(undefined, ['a'], ['a', 'b'], ['c', 'a']),
  style: fc.constantFrom('kms', 'service', 'trust'),
  grant: fc.constantFrom(null, 'allows', 'needs-identity', 'break-glass'),
  operator: mostly(false, true),
})

const callers = {
  alice: givenCaller,
  session: givenSession,
  stranger: givenStranger,
  'foreign-session': givenForeignSession,
}

/** The request that was drawn. A trust policy's statements name no resource. */
export function requestOf(drawn: DrawnAccess): AccessRequest {
  const caller: Caller = {
    ...callers[drawn.who]([policy(drawn.identity)]),
    boundary: drawn.boundary && boundary(policy(drawn.boundary)),
    sessionPolicies: drawn.session && documents([policy(drawn.session)]),
    operator: drawn.operator,
  }
  const key =
    drawn.style === 'trust'
      ? drawn.key.map(({ Resource: _, NotResource: __, ...others }) => others)
      : drawn.key
  return givenRequest({
    caller,
    resourcePolicy: policy(key),
    resource: { arn: KEY_ARN, account: ACCOUNT },
    context: contextOf(
      ['my:key', drawn.value],
      ['my:keys', drawn.values],
      ['aws:SecureTransport', 'true'],
    ),
    style: drawn.style,
  })
}
