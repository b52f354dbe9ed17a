/** In what the signatures of the services differ. */

export type Service = 'kms' | 's3' | 'sts' | 'cloudtrail' | 'keyhold'

export interface ServiceRules {
  /** As in the credential scope. */
  readonly name: string
  /** How far the time of signing may be from ours, either way, in milliseconds. */
  readonly windowMs: number
  /** S3 takes the path as it is, because a key may hold `//` and `..`; the others normalize it. */
  readonly path: 'normalized' | 'verbatim'
  /** Whether a signature in the query is taken. */
  readonly presigned: boolean
  /** What is signed of the body: its hash, taken by us, or what `x-amz-content-sha256` declares. */
  readonly payload: 'body' | 'declared'
}

const MINUTES = 60_000
const json = {
  windowMs: 5 * MINUTES,
  path: 'normalized',
  presigned: false,
  payload: 'body',
} as const

/** Sources: "Signature Version 4 signing process"; Amazon S3 API, "Authenticating requests". */
export const SERVICE_RULES: Readonly<Record<Service, ServiceRules>> = {
  kms: { ...json, name: 'kms' },
  cloudtrail: { ...json, name: 'cloudtrail' },
  keyhold: { ...json, name: 'keyhold' },
  // Presigned GetCallerIdentity is how aws-iam-authenticator and its like prove an identity.
  sts: { ...json, name: 'sts', presigned: true },
  s3: {
    name: 's3',
    windowMs: 15 * MINUTES,
    path: 'verbatim',
    presigned: true,
    payload: 'declared',
  },
}
