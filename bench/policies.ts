/**
 * What a decision costs: ten identity policies of five statements each, with conditions, patterns and
 * variables, and a key policy that leaves the key to the account. Each decision builds the context of
 * its request anew, as each call does.
 */
import type { Caller } from '../shared/authn/caller.ts'
import { kmsEntries, type RequestFacts, requestContext } from '../shared/authz/condition-context.ts'
import { type AccessRequest, decide } from '../shared/authz/decide.ts'
import { type AccessKeyId, type AccountId, parseAccountId, principalIdOf } from '../shared/ids.ts'

/** Microseconds per call, medians over batches. */
export interface DecisionCost {
  readonly empty: number
  /** A statement in the middle allows, and nothing denies. */
  readonly allowed: number
  /** No statement matches. */
  readonly refused: number
}

const BATCH = 50
const ACCOUNT = parseAccountId('111122223333') as AccountId
const USER = `arn:aws:iam::${ACCOUNT}:user/team/bench`
const KEY = `arn:aws:kms:us-east-1:${ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab`

const KEY_POLICY = JSON.stringify({
  Version: '2012-10-17',
  Statement: {
    Effect: 'Allow',
    Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` },
    Action: 'kms:*',
    Resource: '*',
  },
})

/** Five statements as teams write them; the last of policy 5 allows the call. */
const identityPolicy = (i: number): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Action: ['s3:GetObject', 's3:PutObject'],
        Resource: `arn:aws:s3:::team-${i}/\${aws:username}/*`,
      },
      {
        Effect: 'Deny',
        Action: 'kms:*',
        Resource: '*',
        Condition: { Bool: { 'aws:SecureTransport': 'false' } },
      },
      {
        Effect: 'Allow',
        Action: ['kms:Describe*', 'kms:List*', 'kms:Get*'],
        Resource: `arn:aws:kms:*:${ACCOUNT}:key/*`,
      },
      {
        Effect: 'Deny',
        Action: ['kms:Encrypt', 'kms:Decrypt', 'kms:GenerateDataKey*'],
        Resource: '*',
        Condition: {
          StringNotEquals: { 'aws:PrincipalTag/team': 'blue' },
          NotIpAddress: { 'aws:SourceIp': ['10.0.0.0/8', '203.0.113.0/24'] },
        },
      },
      {
        Effect: 'Allow',
        Action: ['kms:Encrypt', 'kms:GenerateDataKey*'],
        Resource: `arn:aws:kms:us-*:${ACCOUNT}:key/*`,
        Condition: {
          StringEquals: { 'kms:EncryptionContext:team': i === 5 ? 'payments' : `team-${i}` },
          StringLike: { 'kms:EncryptionContext:purpose': ['card-*', 'account-*'] },
        },
      },
    ],
  })

const caller: Caller = {
  kind: 'User',
  account: ACCOUNT,
  arn: USER,
  principalArn: USER,
  principalId: principalIdOf('AIDACKCEVSQ6C2EXAMPLE'),
  userId: 'AIDACKCEVSQ6C2EXAMPLE',
  userName: 'bench',
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE' as AccessKeyId,
  policies: Array.from({ length: 10 }, (_, i) => ({
    name: `policy-${i}`,
    document: identityPolicy(i),
  })),
  boundary: null,
  sessionPolicies: null,
  tags: [{ TagKey: 'team', TagValue: 'blue' }],
  operator: false,
  quotas: {},
  session: null,
}

function requestFor(team: string): AccessRequest {
  const facts: RequestFacts = {
    caller,
    region: 'us-east-1',
    sourceIp: '203.0.113.7',
    userAgent: 'aws-sdk-js/3',
    secure: true,
    now: Date.now(),
    via: null,
  }
  const more = () =>
    kmsEntries(facts, {
      resourceAccount: ACCOUNT,
      encryptionContext: { team, purpose: 'card-numbers' },
      encryptionAlgorithm: 'SYMMETRIC_DEFAULT',
      keySpec: 'SYMMETRIC_DEFAULT',
      keyUsage: 'ENCRYPT_DECRYPT',
      keyOrigin: 'AWS_KMS',
      multiRegion: false,
      resourceTags: [{ TagKey: 'team', TagValue: 'payments' }],
    })
  return {
    caller,
    action: 'kms:Encrypt',
    resource: { arn: KEY, account: ACCOUNT },
    resourcePolicy: KEY_POLICY,
    context: requestContext(facts, more),
    style: 'kms',
  }
}

/** Kept out of reach of the optimizer, which would leave out what nobody looks at. */
let kept: unknown

/** @returns the median of microseconds per call, over batches that last about `ms` together */
function medianCost(call: () => unknown, ms: number): number {
  const costs: number[] = []
  for (const end = performance.now() + ms; performance.now() < end; ) {
    const start = performance.now()
    for (let i = 0; i < BATCH; i += 1) kept = call()
    costs.push(((performance.now() - start) / BATCH) * 1000)
  }
  return costs.toSorted((a, b) => a - b)[costs.length >> 1] ?? Number.NaN
}

/** @param ms - that each of the three may take */
export function decisionCost(ms: number): DecisionCost {
  const empty = () => kept
  const ask = (team: string) => () => decide(requestFor(team))
  if (!ask('payments')().allowed || ask('none')().allowed) throw new Error('Decided wrongly.')
  for (const warm of [empty, ask('payments'), ask('none')]) medianCost(warm, ms / 4)
  return {
    empty: medianCost(empty, ms),
    allowed: medianCost(ask('payments'), ms),
    refused: medianCost(ask('none'), ms),
  }
}

if (process.argv[1] === import.meta.filename) {
  for (const [name, cost] of Object.entries(decisionCost(1000))) {
    console.log(`${name.padEnd(10)} ${cost.toFixed(3).padStart(8)} µs`)
  }
}
