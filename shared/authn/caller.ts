/** Who makes a call, once the signature or the token is verified. */
import { type AccessKeyId, type AccountId, PARTITION, type PrincipalId } from '../ids.ts'
import type { PolicyDocument, RoleRecord, Tag, TenantRecord, UserRecord } from '../store/records.ts'
import type { ActivePrincipal } from '../tenants/access-keys.ts'
import { principalArn } from '../tenants/principal.ts'
import type { SessionContent } from '../tenants/session-tokens.ts'

/** Temporary credentials, as far as policies and the audit record ask. Times in milliseconds since the epoch. */
export interface Session {
  readonly issuedAt: number
  readonly expiresAt: number
  readonly sourceIdentity: string | null
  /** Those of the session's own tags that sessions begun by it have too. */
  readonly transitiveTags: readonly Tag[]
  /** Of a session that began with a token of an identity provider. */
  readonly federated: {
    /** `oidc.example.com/team`: the issuer without its scheme. */
    readonly provider: string
    readonly subject: string
    readonly audience: string
  } | null
}

interface CallerCommon {
  readonly account: AccountId
  /** As messages and key policies name it: of a user, or of the session of a role. */
  readonly arn: string
  /** Of the user or role whose policies hold: `aws:PrincipalArn`. */
  readonly principalArn: string
  /** Stable id of that user or role. */
  readonly principalId: PrincipalId
  /** `aws:userid`: the stable id, with the session's name after it where there is one. */
  readonly userId: string
  readonly accessKeyId: AccessKeyId
  /** Identity policies, inline and managed, as text; the evaluator compiles each text once. */
  readonly policies: readonly PolicyDocument[]
  /** The permissions boundary. */
  readonly boundary: PolicyDocument | null
  /** What a session was limited to when it began. */
  readonly sessionPolicies: readonly PolicyDocument[] | null
  /** Of the principal, and over them those of the session: `aws:PrincipalTag`. */
  readonly tags: readonly Tag[]
  /** Whether this is a principal of the operator tenant. */
  readonly operator: boolean
  /** Requests a second, by quota, that an operator set for the tenant. */
  readonly quotas: TenantRecord['quotas']
  readonly session: Session | null
}

export interface UserCaller extends CallerCommon {
  readonly kind: 'User'
  readonly userName: string
}

export interface RoleCaller extends CallerCommon {
  readonly kind: 'AssumedRole'
  readonly roleName: string
  readonly sessionName: string
  readonly session: Session
}

export type Caller = UserCaller | RoleCaller

/** The caller that an access key stands for. Only a verified signature may lead here. */
export function callerOf({
  record,
  principal,
  policies,
  boundary,
  operator,
  quotas,
}: ActivePrincipal<UserRecord> & {
  readonly record: { readonly accessKeyId: AccessKeyId }
}): UserCaller {
  const arn = principalArn(principal)
  return {
    kind: 'User',
    account: principal.account,
    arn,
    principalArn: arn,
    principalId: principal.principalId,
    userId: principal.principalId,
    userName: principal.name,
    accessKeyId: record.accessKeyId,
    policies,
    boundary,
    sessionPolicies: null,
    tags: principal.tags,
    operator,
    quotas,
    session: null,
  }
}

/** What a session is, but for the principal whose policies hold. */
export interface BegunSession {
  readonly accessKeyId: AccessKeyId
  readonly content: Omit<SessionContent, 'limits'>
  /** What the session is limited to, resolved. */
  readonly policies: readonly PolicyDocument[] | null
}

/**
 * The caller that temporary credentials stand for. Only a verified signature, or a verified token of
 * an identity provider, may lead here.
 * @param principal - the one that the session is of
 */
export function sessionCallerOf(found: ActivePrincipal, begun: BegunSession): Caller {
  const { principal } = found
  const { accessKeyId, content, policies: sessionPolicies } = begun
  const tags = overlaid(principal.tags, content.tags)
  const session = sessionOf(content)
  if (principal.kind === 'User') {
    const user = callerOf({ ...found, principal, record: { accessKeyId } })
    return { ...user, tags, sessionPolicies, session }
  }
  const sessionName = content.sessionName ?? ''
  return {
    kind: 'AssumedRole',
    account: principal.account,
    arn: sessionArn(principal.account, principal.name, sessionName),
    principalArn: principalArn(principal),
    principalId: principal.principalId,
    userId: assumedRoleId(principal, sessionName),
    roleName: principal.name,
    sessionName,
    accessKeyId,
    policies: found.policies,
    boundary: found.boundary,
    sessionPolicies,
    tags,
    operator: found.operator,
    quotas: found.quotas,
    session,
  }
}

/** `arn:aws:sts::111122223333:assumed-role/Deploy/alice` */
export const sessionArn = (account: AccountId, roleName: string, sessionName: string): string =>
  `arn:${PARTITION}:sts::${account}:assumed-role/${roleName}/${sessionName}`

/** `AROA…:alice` */
export const assumedRoleId = (
  { principalId }: Pick<RoleRecord, 'principalId'>,
  sessionName: string,
): string => `${principalId}:${sessionName}`

function sessionOf(content: BegunSession['content']): Session {
  const { issuedAt, expiresAt, sourceIdentity, federated, tags } = content
  const transitive = new Set(content.transitiveTagKeys.map(sameTagKey))
  const transitiveTags = tags.filter(({ TagKey }) => transitive.has(sameTagKey(TagKey)))
  return { issuedAt, expiresAt, sourceIdentity, federated, transitiveTags }
}

/** Tags of a session take the place of those of its principal; their keys differ in more than case. */
function overlaid(own: readonly Tag[], over: readonly Tag[]): readonly Tag[] {
  if (over.length === 0) return own
  const given = new Set(over.map(({ TagKey }) => sameTagKey(TagKey)))
  return [...own.filter(({ TagKey }) => !given.has(sameTagKey(TagKey))), ...over]
}

/** Two keys are the same when this gives the same for both (IAM User Guide, "Rules for tagging"). */
export const sameTagKey = (key: string): string => key.toLowerCase()
