/** Permissions boundaries, policies of sessions, roles, and what operators are kept from. */
import { describe, expect, test } from 'vitest'
import type { Caller } from '../../../shared/authn/caller.ts'
import {
  type AccessRequest,
  decide,
  type GrantEffect,
  strongestGrant,
} from '../../../shared/authz/decide.ts'
import {
  ACCOUNT,
  ADMINISTRATOR,
  ALICE,
  boundary,
  DELEGATES,
  documents,
  givenCaller,
  givenForeignSession,
  givenRequest,
  givenSession,
  keyStatement,
  NOTHING,
  OTHER_ROOT,
  policy,
  ROLE,
  SESSION,
  statement,
  word,
} from './given.ts'

const BY_RESOURCE = 'allowed by resource-policy'
const BY_IDENTITY = 'allowed by identity-policy'
const BY_GRANT = 'allowed by grant'
const IDENTITY_SILENT = 'implicit-deny in identity-based'
const RESOURCE_SILENT = 'implicit-deny in resource-based'
const RESOURCE_DENIES = 'explicit-deny in resource-based'
const BOUNDARY_SILENT = 'implicit-deny in permissions-boundary'
const BOUNDARY_DENIES = 'explicit-deny in permissions-boundary'
const SESSION_SILENT = 'implicit-deny in session'
const SESSION_DENIES = 'explicit-deny in session'

const keyFor = (AWS: string) => policy(keyStatement({ Principal: { AWS } }))
const NAMES = {
  user: keyFor(ALICE),
  session: keyFor(SESSION),
  role: keyFor(ROLE),
  everyone: policy(keyStatement()),
  account: DELEGATES,
  other: keyFor('arn:aws:iam::111122223333:user/bob'),
}
const DENIES = policy([statement(), statement({ Effect: 'Deny' })])

/** What a boundary or session policy says: allows all, only other things, or denies. */
const SAYS = { allows: ADMINISTRATOR, silent: NOTHING, denies: DENIES, absent: null }
type Word = keyof typeof SAYS

const limits = (pb: Word, sp: Word): Partial<Caller> => {
  const [boundaryText, sessionText] = [SAYS[pb], SAYS[sp]]
  return {
    boundary: boundaryText === null ? null : boundary(boundaryText),
    sessionPolicies: sessionText === null ? null : documents([sessionText]),
  }
}

const ask = (
  caller: Caller,
  resourcePolicy: string | null,
  grant: GrantEffect | null = null,
  difference: Partial<AccessRequest> = {},
) => word(decide(givenRequest({ caller, resourcePolicy, ...difference }), grant))

describe('a session of a role, on a key of its account', () => {
  test.each<[keyof typeof NAMES, boolean, pb: Word, sp: Word, string]>([
    // by session or everyone: implicit denies of the limits do not matter
    ['session', false, 'absent', 'absent', BY_RESOURCE],
    ['session', false, 'silent', 'silent', BY_RESOURCE],
    ['everyone', false, 'silent', 'silent', BY_RESOURCE],
    ['session', false, 'denies', 'absent', BOUNDARY_DENIES],
    ['session', false, 'absent', 'denies', SESSION_DENIES],
    ['everyone', false, 'silent', 'denies', SESSION_DENIES],
    // by role: both limits must allow, identity policies need not
    ['role', false, 'absent', 'absent', BY_RESOURCE],
    ['role', false, 'allows', 'allows', BY_RESOURCE],
    ['role', false, 'silent', 'allows', BOUNDARY_SILENT],
    ['role', false, 'allows', 'silent', SESSION_SILENT],
    ['role', true, 'allows', 'silent', SESSION_SILENT],
    ['role', false, 'silent', 'silent', BOUNDARY_SILENT],
    ['role', false, 'denies', 'allows', BOUNDARY_DENIES],
    // by account: identity policies and both limits must allow
    ['account', true, 'absent', 'absent', BY_IDENTITY],
    ['account', true, 'allows', 'allows', BY_IDENTITY],
    ['account', false, 'allows', 'allows', IDENTITY_SILENT],
    ['account', true, 'silent', 'allows', BOUNDARY_SILENT],
    ['account', true, 'allows', 'silent', SESSION_SILENT],
    ['account', true, 'allows', 'denies', SESSION_DENIES],
    ['account', false, 'silent', 'silent', IDENTITY_SILENT],
    // by nobody
    ['other', true, 'allows', 'allows', RESOURCE_SILENT],
    ['other', true, 'absent', 'absent', RESOURCE_SILENT],
    ['user', true, 'absent', 'absent', RESOURCE_SILENT],
  ])(
    'named by %s, identity policies allow: %s, boundary %s, session policy %s',
    (named, allows, pb, sp, expected) => {
      const caller = givenSession(allows ? [ADMINISTRATOR] : [], limits(pb, sp) as object)
      expect(ask(caller, NAMES[named])).toBe(expected)
    },
  )

  test('limited to nothing is limited to nothing', () => {
    const caller = givenSession([ADMINISTRATOR], { sessionPolicies: [] })
    expect(ask(caller, DELEGATES)).toBe(SESSION_SILENT)
  })

  test('may do what one of several session policies allows', () => {
    const sessionPolicies = documents([NOTHING, ADMINISTRATOR])
    expect(ask(givenSession([ADMINISTRATOR], { sessionPolicies }), DELEGATES)).toBe(BY_IDENTITY)
  })
})

describe('a user with a permissions boundary, on a key of its account', () => {
  test.each<[keyof typeof NAMES, boolean, pb: Word, string]>([
    ['user', false, 'silent', BY_RESOURCE],
    ['everyone', false, 'silent', BY_RESOURCE],
    ['user', false, 'denies', BOUNDARY_DENIES],
    ['account', true, 'allows', BY_IDENTITY],
    ['account', true, 'silent', BOUNDARY_SILENT],
    ['account', false, 'allows', IDENTITY_SILENT],
    ['other', true, 'allows', RESOURCE_SILENT],
  ])('named by %s, identity policies allow: %s, boundary %s', (named, allows, pb, expected) => {
    const caller = givenCaller(allows ? [ADMINISTRATOR] : [], limits(pb, 'absent') as object)
    expect(ask(caller, NAMES[named])).toBe(expected)
  })

  test('is denied by a NotPrincipal whomever that names', () => {
    const spares = policy([
      keyStatement(),
      {
        Effect: 'Deny',
        NotPrincipal: { AWS: [ALICE, '111122223333'] },
        Action: '*',
        Resource: '*',
      },
    ])
    expect(ask(givenCaller(), spares)).toBe(BY_RESOURCE)
    expect(ask(givenCaller([], limits('allows', 'absent') as object), spares)).toBe(RESOURCE_DENIES)
  })
})

describe('a grant within the limits of its grantee', () => {
  test.each<[GrantEffect, boolean, pb: Word, sp: Word, string]>([
    ['allows', false, 'absent', 'absent', BY_GRANT],
    ['allows', false, 'allows', 'allows', BY_GRANT],
    ['allows', false, 'silent', 'allows', BOUNDARY_SILENT],
    ['allows', false, 'allows', 'silent', SESSION_SILENT],
    ['allows', true, 'allows', 'denies', SESSION_DENIES],
    ['needs-identity', true, 'allows', 'allows', BY_GRANT],
    ['needs-identity', false, 'allows', 'allows', IDENTITY_SILENT],
    ['needs-identity', true, 'silent', 'allows', BOUNDARY_SILENT],
    ['needs-identity', true, 'allows', 'silent', SESSION_SILENT],
  ])(
    '%s, identity policies allow: %s, boundary %s, session policy %s',
    (effect, allows, pb, sp, expected) => {
      const policies = allows ? [ADMINISTRATOR] : []
      const difference = limits(pb, sp) as object
      expect(ask(givenSession(policies, difference), NAMES.other, effect)).toBe(expected)
      expect(ask(givenForeignSession(policies, difference), NAMES.other, effect)).toBe(expected)
    },
  )

  test('is not what allows where policies do', () => {
    expect(ask(givenSession([ADMINISTRATOR]), DELEGATES, 'allows')).toBe(BY_IDENTITY)
    expect(ask(givenSession(), NAMES.role, 'allows')).toBe(BY_RESOURCE)
  })

  test('counts when it does most of several', () => {
    expect(strongestGrant([])).toBeNull()
    expect(strongestGrant([null, 'needs-identity', null])).toBe('needs-identity')
    expect(strongestGrant(['needs-identity', 'allows', 'needs-identity'])).toBe('allows')
    expect(strongestGrant(['allows', 'break-glass', 'allows'])).toBe('break-glass')
  })
})

describe('a session of a role of another account', () => {
  const TO_ACCOUNT = keyFor(OTHER_ROOT)
  const TO_ROLE = keyFor(ROLE.replace(ACCOUNT, '444455556666'))
  const TO_SESSION = keyFor(SESSION.replace(ACCOUNT, '444455556666'))

  test.each<[string, boolean, pb: Word, sp: Word, string]>([
    [TO_ACCOUNT, true, 'absent', 'absent', BY_IDENTITY],
    [TO_ROLE, true, 'allows', 'allows', BY_IDENTITY],
    [TO_SESSION, true, 'allows', 'allows', BY_IDENTITY],
    [TO_SESSION, false, 'allows', 'allows', IDENTITY_SILENT],
    [NAMES.everyone, false, 'absent', 'absent', IDENTITY_SILENT],
    [TO_SESSION, true, 'silent', 'allows', BOUNDARY_SILENT],
    [NAMES.everyone, true, 'allows', 'silent', SESSION_SILENT],
    [TO_SESSION, true, 'denies', 'allows', BOUNDARY_DENIES],
    [TO_SESSION, true, 'allows', 'denies', SESSION_DENIES],
    [DELEGATES, true, 'allows', 'allows', RESOURCE_SILENT],
  ])(
    'key policy %s, identity policies allow: %s, boundary %s, session policy %s',
    (key, allows, pb, sp, expected) => {
      const caller = givenForeignSession(allows ? [ADMINISTRATOR] : [], limits(pb, sp) as object)
      expect(ask(caller, key)).toBe(expected)
    },
  )

  test('gets nothing of a role of the same name in the account of the key', () => {
    expect(ask(givenForeignSession([ADMINISTRATOR]), NAMES.role)).toBe(RESOURCE_SILENT)
  })
})

describe('an object under a bucket policy, within the account', () => {
  const OBJECT = { arn: 'arn:aws:s3:::books/a', account: ACCOUNT }
  const reading = { action: 's3:GetObject', resource: OBJECT, style: 'service' } as const
  const bucketFor = (AWS: string, Effect = 'Allow') =>
    policy({ Effect, Principal: { AWS }, Action: 's3:*', Resource: 'arn:aws:s3:::books/*' })
  const ROOT_OF_ACCOUNT = `arn:aws:iam::${ACCOUNT}:root`

  test.each<[string, boolean, pb: Word, sp: Word, string]>([
    [bucketFor(SESSION), false, 'silent', 'silent', BY_RESOURCE],
    [bucketFor('*'), false, 'silent', 'silent', BY_RESOURCE],
    [bucketFor(ROLE), false, 'allows', 'allows', BY_RESOURCE],
    [bucketFor(ROLE), false, 'silent', 'allows', BOUNDARY_SILENT],
    [bucketFor(ROLE), true, 'allows', 'silent', SESSION_SILENT],
    [bucketFor(ROOT_OF_ACCOUNT), false, 'allows', 'allows', IDENTITY_SILENT],
    [bucketFor(ROOT_OF_ACCOUNT), true, 'allows', 'allows', BY_IDENTITY],
    [bucketFor(ALICE), true, 'allows', 'allows', BY_IDENTITY],
    [bucketFor(ALICE), false, 'allows', 'allows', IDENTITY_SILENT],
    [bucketFor(SESSION, 'Deny'), true, 'allows', 'allows', RESOURCE_DENIES],
    [bucketFor(ROLE, 'Deny'), true, 'allows', 'allows', RESOURCE_DENIES],
    [bucketFor(ROOT_OF_ACCOUNT, 'Deny'), true, 'allows', 'allows', RESOURCE_DENIES],
  ])(
    '%s, identity policies allow: %s, boundary %s, session policy %s',
    (bucket, allows, pb, sp, expected) => {
      const caller = givenSession(allows ? [ADMINISTRATOR] : [], limits(pb, sp) as object)
      expect(ask(caller, bucket, null, reading)).toBe(expected)
    },
  )
})

describe('where there is no key policy', () => {
  const listing = { action: 'kms:ListKeys', resource: null, style: 'service' } as const

  test.each<[boolean, pb: Word, sp: Word, string]>([
    [true, 'absent', 'absent', BY_IDENTITY],
    [true, 'allows', 'allows', BY_IDENTITY],
    [true, 'silent', 'allows', BOUNDARY_SILENT],
    [true, 'allows', 'silent', SESSION_SILENT],
    [false, 'allows', 'allows', IDENTITY_SILENT],
    [true, 'denies', 'allows', BOUNDARY_DENIES],
  ])('identity policies allow: %s, boundary %s, session policy %s', (allows, pb, sp, expected) => {
    const caller = givenSession(allows ? [ADMINISTRATOR] : [], limits(pb, sp) as object)
    expect(ask(caller, null, null, listing)).toBe(expected)
  })
})

describe('an operator', () => {
  const operator = givenCaller([ADMINISTRATOR], { operator: true })
  const foreign = givenForeignSession([ADMINISTRATOR], { operator: true })
  const KEPT_OFF = 'implicit-deny in service-control'

  test.each<[string, AccessRequest['style'], string]>([
    ['kms:Encrypt', 'kms', KEPT_OFF],
    ['kms:DescribeKey', 'kms', KEPT_OFF],
    ['KMS:decrypt', 'kms', KEPT_OFF],
    ['s3:GetObject', 'service', KEPT_OFF],
    ['sts:GetCallerIdentity', 'service', BY_IDENTITY],
    ['iam:CreateUser', 'service', BY_IDENTITY],
    ['keyhold:CreateTenant', 'service', BY_IDENTITY],
    ['cloudtrail:LookupEvents', 'service', BY_IDENTITY],
  ])('%s', (action, style, expected) => {
    const difference = style === 'service' ? { action, style, resource: null } : { action, style }
    expect(ask(operator, style === 'service' ? null : NAMES.everyone, null, difference)).toBe(
      expected,
    )
  })

  test('has no way by any policy or common grant', () => {
    for (const resourcePolicy of Object.values(NAMES)) {
      for (const grant of [null, 'allows', 'needs-identity'] as const) {
        expect(ask(operator, resourcePolicy, grant)).toBe(KEPT_OFF)
        expect(ask(foreign, resourcePolicy, grant)).toBe(KEPT_OFF)
      }
    }
  })

  test('is let in by breaking the glass, unless somebody denies it', () => {
    const silent = givenForeignSession([], { operator: true })
    expect(ask(silent, DELEGATES, 'break-glass')).toBe(BY_GRANT)
    const denied = policy(keyStatement({ Effect: 'Deny' }))
    expect(ask(silent, denied, 'break-glass')).toBe(RESOURCE_DENIES)
    const limited = givenForeignSession([], {
      operator: true,
      ...(limits('allows', 'denies') as object),
    })
    expect(ask(limited, DELEGATES, 'break-glass')).toBe(SESSION_DENIES)
    const admin = { action: 'kms:PutKeyPolicy' }
    expect(ask(silent, DELEGATES, 'break-glass', admin)).toBe(RESOURCE_SILENT)
  })

  test('learns nothing of a key by the words of the refusal', () => {
    const answers = [null, ...Object.values(NAMES)].map((key) => ask(foreign, key))
    expect(new Set(answers)).toEqual(new Set([KEPT_OFF]))
  })
})
