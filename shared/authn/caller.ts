/** Who makes a call, once the signature or the token is verified. */
import { type AccessKeyId, type AccountId, PARTITION, type PrincipalId } from '../ids.ts'
import type { PolicyDocument, Tag } from '../store/records.ts'
import type { ActiveAccessKey } from '../tenants/access-keys.ts'
import { principalArn } from '../tenants/principal.ts'

/** Temporary credentials, as far as policies and the audit record ask. Times in milliseconds since the epoch. */
export interface Session {
  readonly issuedAt: number
  readonly expiresAt: number
  readonly sourceIdentity: string | null
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
}: Omit<ActiveAccessKey, 'record'> & {
  readonly record: Pick<ActiveAccessKey['record'], 'accessKeyId'>
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
    session: null,
  }
}

/** `arn:aws:sts::111122223333:assumed-role/Deploy/alice` */
export const sessionArn = (account: AccountId, roleName: string, sessionName: string): string =>
  `arn:${PARTITION}:sts::${account}:assumed-role/${roleName}/${sessionName}`
