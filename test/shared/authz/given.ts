import type { RoleCaller, UserCaller } from '../../../shared/authn/caller.ts'
import { type ConditionEntry, conditionContext } from '../../../shared/authz/condition-context.ts'
import { type AccessRequest, type Decision, decide } from '../../../shared/authz/decide.ts'
import type { AccessKeyId, AccountId } from '../../../shared/ids.ts'
import { principalIdOf } from '../../../shared/ids.ts'

export const ACCOUNT = '111122223333' as AccountId
export const OTHER_ACCOUNT = '444455556666' as AccountId
export const KEY_ARN = 'arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab'
export const ALICE = 'arn:aws:iam::111122223333:user/team/alice'
export const ALICE_ID = 'AIDACKCEVSQ6C2EXAMPLE'
export const ROOT = 'arn:aws:iam::111122223333:root'
export const OTHER_ROOT = 'arn:aws:iam::444455556666:root'

type Json = Readonly<Record<string, unknown>>

/** A policy's text around statements; version 2012-10-17 unless told. */
export const policy = (statements: Json | readonly Json[], version = '2012-10-17'): string =>
  JSON.stringify({ Version: version, Statement: statements })

/** A statement of a key policy: everyone may do everything unless told. */
export const keyStatement = (difference: Json = {}): Json => ({
  Effect: 'Allow',
  Principal: '*',
  Action: 'kms:*',
  Resource: '*',
  ...difference,
})

/** A statement of an identity policy: everything is allowed unless told. */
export const statement = (difference: Json = {}): Json => ({
  Effect: 'Allow',
  Action: '*',
  Resource: '*',
  ...difference,
})

/** The same without a member. */
export const without = (member: string, from: Json): Json =>
  Object.fromEntries(Object.entries(from).filter(([name]) => name !== member))

export const ADMINISTRATOR = policy(statement())
export const DELEGATES = policy(keyStatement({ Principal: { AWS: ROOT } }))
export const NOTHING = policy(statement({ Action: 'iam:PassRole' }))

/** Alice, with these identity policies. */
export const givenCaller = (
  policies: readonly string[] = [],
  difference: Partial<UserCaller> = {},
): UserCaller => ({
  account: ACCOUNT,
  kind: 'User',
  arn: ALICE,
  principalArn: ALICE,
  principalId: principalIdOf(ALICE_ID),
  userId: ALICE_ID,
  userName: 'alice',
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE' as AccessKeyId,
  policies: documents(policies),
  boundary: null,
  sessionPolicies: null,
  tags: [],
  operator: false,
  quotas: {},
  session: null,
  ...difference,
})

/** Eve of another account, with these identity policies. */
export const givenStranger = (policies: readonly string[] = []): UserCaller =>
  givenCaller(policies, {
    account: OTHER_ACCOUNT,
    arn: 'arn:aws:iam::444455556666:user/eve',
    principalArn: 'arn:aws:iam::444455556666:user/eve',
    principalId: principalIdOf('AIDAEVEEVEEVEEVEEVEEV'),
    userId: 'AIDAEVEEVEEVEEVEEVEEV',
    userName: 'eve',
  })

export const ROLE = 'arn:aws:iam::111122223333:role/team/Deploy'
export const ROLE_ID = 'AROADBQP57FF2AEXAMPLE'
export const SESSION = 'arn:aws:sts::111122223333:assumed-role/Deploy/ci'

/** A session of the role Deploy, with these identity policies. */
export const givenSession = (
  policies: readonly string[] = [],
  difference: Partial<RoleCaller> = {},
): RoleCaller => {
  const { account, accessKeyId, boundary, sessionPolicies, operator, quotas } = givenCaller()
  return {
    kind: 'AssumedRole',
    account,
    arn: SESSION,
    principalArn: ROLE,
    principalId: principalIdOf(ROLE_ID),
    userId: `${ROLE_ID}:ci`,
    roleName: 'Deploy',
    sessionName: 'ci',
    accessKeyId,
    policies: documents(policies),
    boundary,
    sessionPolicies,
    tags: [],
    operator,
    quotas,
    session: {
      issuedAt: Date.UTC(2026, 10, 23, 20),
      expiresAt: Date.UTC(2026, 10, 23, 21),
      sourceIdentity: null,
      transitiveTags: [],
      federated: null,
    },
    ...difference,
  }
}

/** A session of a role of another account. */
export const givenForeignSession = (
  policies: readonly string[] = [],
  difference: Partial<RoleCaller> = {},
): RoleCaller =>
  givenSession(policies, {
    account: OTHER_ACCOUNT,
    arn: SESSION.replace(ACCOUNT, OTHER_ACCOUNT),
    principalArn: ROLE.replace(ACCOUNT, OTHER_ACCOUNT),
    principalId: principalIdOf('AROAEVEEVEEVEEVEEVEEV'),
    userId: 'AROAEVEEVEEVEEVEEVEEV:ci',
    ...difference,
  })

/** Policies with names: policy-0, policy-1, … */
export const documents = (policies: readonly string[]) =>
  policies.map((document, i) => ({ name: `policy-${i}`, document }))

/** A permissions boundary. */
export const boundary = (document: string) => ({ name: 'Boundary', document })

/** Alice encrypts under the key, which is left to her account. */
export const givenRequest = (difference: Partial<AccessRequest> = {}): AccessRequest => ({
  caller: givenCaller(),
  action: 'kms:Encrypt',
  resource: { arn: KEY_ARN, account: ACCOUNT },
  resourcePolicy: DELEGATES,
  context: () => new Map(),
  style: 'kms',
  ...difference,
})

export const contextOf = (...entries: readonly ConditionEntry[]) => {
  const context = conditionContext(entries)
  return () => context
}

/** A decision in a word: `allowed by resource-policy`, `explicit-deny in identity-based`. */
export const word = (decision: Decision): string =>
  decision.allowed ? `allowed by ${decision.by}` : `${decision.reason} in ${decision.where}`

export const decided = (difference: Partial<AccessRequest>): string =>
  word(decide(givenRequest(difference)))
