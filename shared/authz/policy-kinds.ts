/** What the kinds of policies have and have not (IAM User Guide, "IAM JSON policy element reference"). */

/**
 * `identity`: of a user or role, and permissions boundaries. `session`: what a session is limited to.
 * `trust`: who may assume a role. `key`, `bucket`: who may use a KMS key, an S3 bucket.
 */
export type PolicyKind = 'key' | 'identity' | 'session' | 'trust' | 'bucket'

/** The members that `Principal` can have. */
export type PrincipalType = 'AWS' | 'Service' | 'Federated'

export interface KindRules {
  /** `null`: such policies name no principals. */
  readonly principals: ReadonlySet<PrincipalType> | null
  /** `optional`: a statement without one is accepted and speaks of nothing. */
  readonly resource: 'required' | 'optional' | 'forbidden'
  readonly action: 'required' | 'optional'
  /** Whether resources may leave out fields at their end. */
  readonly shortArns: boolean
  /** Whether a Sid is of letters and digits only, and there once. */
  readonly strictSids: boolean
  /** How large such a policy may be, unless its holder has a limit of its own. */
  readonly limit: PolicyLimit
}

export interface PolicyLimit {
  readonly size: number
  /** What counts: bytes of UTF-8, characters, or characters that are not white space. */
  readonly counted: 'bytes' | 'characters' | 'characters-without-space'
}

const identityLimit = (size: number): PolicyLimit => ({
  size,
  counted: 'characters-without-space',
})

/**
 * By who holds the policy; of inline policies, all of one holder together (IAM User Guide, "IAM and
 * AWS STS quotas").
 */
export const policyLimits = {
  userInline: identityLimit(2048),
  groupInline: identityLimit(5120),
  roleInline: identityLimit(10_240),
  managed: identityLimit(6144),
  trust: identityLimit(2048),
} as const

export const kindRules: Readonly<Record<PolicyKind, KindRules>> = {
  /** AWS KMS Developer Guide, "Key policies"; KMS quotas, "Key policy document size". */
  key: {
    principals: new Set(['AWS', 'Service']),
    resource: 'optional',
    action: 'optional',
    shortArns: false,
    strictSids: false,
    limit: { size: 32_768, counted: 'bytes' },
  },
  identity: {
    principals: null,
    resource: 'required',
    action: 'required',
    shortArns: true,
    strictSids: true,
    limit: policyLimits.managed,
  },
  /** AWS STS API reference, AssumeRole, "Policy". */
  session: {
    principals: null,
    resource: 'required',
    action: 'required',
    shortArns: false,
    strictSids: true,
    limit: { size: 2048, counted: 'characters' },
  },
  /** IAM User Guide, "Role trust policies". */
  trust: {
    principals: new Set(['AWS', 'Service', 'Federated']),
    resource: 'forbidden',
    action: 'required',
    shortArns: false,
    strictSids: false,
    limit: policyLimits.trust,
  },
  /** Amazon S3 User Guide, "Bucket policies". */
  bucket: {
    principals: new Set(['AWS', 'Service']),
    resource: 'required',
    action: 'required',
    shortArns: false,
    strictSids: false,
    limit: { size: 20 * 1024, counted: 'bytes' },
  },
}

/** The size of a policy as its limit counts it. */
export function policySize(text: string, counted: PolicyLimit['counted']): number {
  if (counted === 'bytes') return Buffer.byteLength(text)
  return counted === 'characters' ? text.length : text.replace(/\s+/g, '').length
}
