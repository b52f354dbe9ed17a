import { describe, expect, test } from 'vitest'
import type { Caller } from '../../../shared/authn/caller.ts'
import type { ConditionEntry } from '../../../shared/authz/condition-context.ts'
import { EvaluationError } from '../../../shared/authz/decide.ts'
import { decideTrust, type TrustRequest } from '../../../shared/authz/trust.ts'
import {
  ACCOUNT,
  ADMINISTRATOR,
  ALICE,
  boundary,
  contextOf,
  givenCaller,
  givenForeignSession,
  givenSession,
  givenStranger,
  NOTHING,
  OTHER_ROOT,
  policy,
  ROLE,
  ROOT,
  SESSION,
  statement,
  word,
} from './given.ts'

type Json = Readonly<Record<string, unknown>>

const TARGET = 'arn:aws:iam::111122223333:role/Target'
const PROVIDER = 'arn:aws:iam::111122223333:oidc-provider/oidc.example.com'
const SILENT = 'implicit-deny in role-trust'
const DENIES = 'explicit-deny in role-trust'
const IDENTITY_SILENT = 'implicit-deny in identity-based'
const BY_TRUST = 'allowed by resource-policy'
const BY_BOTH = 'allowed by identity-policy'

const trusting = (Principal: unknown, difference: Json = {}) =>
  policy({ Effect: 'Allow', Principal, Action: 'sts:AssumeRole', ...difference })

const ask = (
  asking: TrustRequest['asking'],
  trustPolicy: string | null,
  action: TrustRequest['action'] = 'sts:AssumeRole',
  entries: readonly ConditionEntry[] = [],
) =>
  word(
    decideTrust({
      asking,
      action,
      role: { arn: TARGET, account: ACCOUNT, trustPolicy },
      context: contextOf(...entries),
    }),
  )

describe('a principal of the account of the role', () => {
  test.each<[string, unknown, Caller, string]>([
    ['a user that is named', { AWS: ALICE }, givenCaller(), BY_TRUST],
    ['everyone', '*', givenCaller(), BY_TRUST],
    ['an account, without permission', { AWS: ROOT }, givenCaller(), IDENTITY_SILENT],
    ['an account, with permission', { AWS: ROOT }, givenCaller([ADMINISTRATOR]), BY_BOTH],
    ['somebody else', { AWS: `${ALICE}x` }, givenCaller([ADMINISTRATOR]), SILENT],
    ['a service', { Service: 's3.amazonaws.com' }, givenCaller([ADMINISTRATOR]), SILENT],
    ['a provider', { Federated: PROVIDER }, givenCaller([ADMINISTRATOR]), SILENT],
    ['a session of a role that is named', { AWS: ROLE }, givenSession(), BY_TRUST],
    ['a session that is named', { AWS: SESSION }, givenSession(), BY_TRUST],
    [
      'a session within a boundary',
      { AWS: ROLE },
      givenSession([], { boundary: boundary(NOTHING) }),
      'implicit-deny in permissions-boundary',
    ],
    [
      'a user that its own policies deny it',
      { AWS: ALICE },
      givenCaller([policy(statement({ Effect: 'Deny', Action: 'sts:*' }))]),
      'explicit-deny in identity-based',
    ],
  ])('%s', (_, principal, caller, expected) => {
    expect(ask(caller, trusting(principal))).toBe(expected)
  })

  test('needs permission on the role itself', () => {
    const caller = (Resource: string) =>
      givenCaller([policy(statement({ Action: 'sts:AssumeRole', Resource }))])
    expect(ask(caller(TARGET), trusting({ AWS: ROOT }))).toBe(BY_BOTH)
    expect(ask(caller(ROLE), trusting({ AWS: ROOT }))).toBe(IDENTITY_SILENT)
  })

  test('is denied by an explicit Deny', () => {
    const trust = policy([
      { Effect: 'Allow', Principal: '*', Action: 'sts:AssumeRole' },
      { Effect: 'Deny', Principal: { AWS: ROOT }, Action: 'sts:*' },
    ])
    expect(ask(givenCaller([ADMINISTRATOR]), trust)).toBe(DENIES)
  })

  test('finds nothing behind a role that is not there', () => {
    expect(ask(givenCaller([ADMINISTRATOR]), null)).toBe(SILENT)
  })
})

describe('a principal of another account', () => {
  test.each<[string, unknown, Caller, string]>([
    ['with permission, by account', { AWS: OTHER_ROOT }, givenStranger([ADMINISTRATOR]), BY_BOTH],
    ['without permission, by account', { AWS: OTHER_ROOT }, givenStranger(), IDENTITY_SILENT],
    ['without permission, by everyone', '*', givenStranger(), IDENTITY_SILENT],
    [
      'a session with permission',
      { AWS: OTHER_ROOT },
      givenForeignSession([ADMINISTRATOR]),
      BY_BOTH,
    ],
    ['with permission, not trusted', { AWS: ROOT }, givenStranger([ADMINISTRATOR]), SILENT],
  ])('%s', (_, principal, caller, expected) => {
    expect(ask(caller, trusting(principal))).toBe(expected)
  })
})

describe('conditions of a trust policy', () => {
  const withId = trusting(
    { AWS: OTHER_ROOT },
    { Condition: { StringEquals: { 'sts:ExternalId': 'xyz' } } },
  )
  const eve = givenStranger([ADMINISTRATOR])

  test.each<[readonly ConditionEntry[], string]>([
    [[['sts:ExternalId', 'xyz']], BY_BOTH],
    [[['sts:ExternalId', 'xyZ']], SILENT],
    [[], SILENT],
  ])('with %j', (entries, expected) => {
    expect(ask(eve, withId, 'sts:AssumeRole', entries)).toBe(expected)
  })
})

test.each<[TrustRequest['action'], string]>([
  ['sts:AssumeRole', BY_TRUST],
  ['sts:TagSession', SILENT],
  ['sts:SetSourceIdentity', SILENT],
])('%s is allowed only where it is named', (action, expected) => {
  const trust = trusting({ AWS: ALICE })
  const caller = givenCaller([ADMINISTRATOR])
  expect(ask(caller, trust, action)).toBe(expected)
  const all = ['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity']
  expect(ask(caller, trusting({ AWS: ALICE }, { Action: all }), action)).toBe(BY_TRUST)
})

describe('a web identity', () => {
  const someone = { kind: 'WebIdentity', provider: 'oidc.example.com' } as const
  const WEB = 'sts:AssumeRoleWithWebIdentity'
  const web = (principal: unknown, difference: Json = {}) =>
    trusting(principal, { Action: WEB, ...difference })

  test.each<[unknown, string]>([
    [{ Federated: PROVIDER }, BY_TRUST],
    [{ Federated: PROVIDER.replace('1111', '4444') }, SILENT],
    [{ Federated: `${PROVIDER}/team` }, SILENT],
    [{ Federated: 'accounts.google.com' }, SILENT],
    [{ AWS: ROOT }, SILENT],
    ['*', SILENT],
  ])('of a role that trusts %j', (principal, expected) => {
    expect(ask(someone, web(principal), WEB)).toBe(expected)
  })

  test('must be who the conditions say', () => {
    const trust = web(
      { Federated: PROVIDER },
      {
        Condition: {
          StringEquals: { 'oidc.example.com:aud': 'sts.amazonaws.com' },
          StringLike: { 'oidc.example.com:sub': 'repo:acme/*' },
        },
      },
    )
    const by = (sub: string, aud = 'sts.amazonaws.com') =>
      ask(someone, trust, WEB, [
        ['oidc.example.com:sub', sub],
        ['oidc.example.com:aud', aud],
      ])
    expect(by('repo:acme/app')).toBe(BY_TRUST)
    expect(by('repo:evil/app')).toBe(SILENT)
    expect(by('repo:acme/app', 'other')).toBe(SILENT)
    expect(ask(someone, trust, WEB)).toBe(SILENT)
  })

  test('is denied by what denies everyone, and spared by what spares its provider', () => {
    const allow = { Effect: 'Allow', Principal: { Federated: PROVIDER }, Action: WEB }
    const deny = (principal: Json) =>
      policy([allow, { Effect: 'Deny', Action: 'sts:*', ...principal }])
    expect(ask(someone, deny({ Principal: '*' }), WEB)).toBe(DENIES)
    expect(ask(someone, deny({ NotPrincipal: { AWS: ROOT } }), WEB)).toBe(DENIES)
    expect(ask(someone, deny({ NotPrincipal: { Federated: PROVIDER } }), WEB)).toBe(BY_TRUST)
  })

  test('needs the action with which it comes', () => {
    expect(ask(someone, trusting({ Federated: PROVIDER }), WEB)).toBe(SILENT)
    expect(ask(someone, null, WEB)).toBe(SILENT)
  })
})

test('a trust policy that does not compile allows nothing', () => {
  const WEB = 'sts:AssumeRoleWithWebIdentity'
  expect(() => ask(givenCaller(), '{')).toThrow(EvaluationError)
  expect(() => ask({ kind: 'WebIdentity', provider: 'x.example' }, '{', WEB)).toThrow(
    EvaluationError,
  )
})
