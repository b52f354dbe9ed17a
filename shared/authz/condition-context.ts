/**
 * What conditions can ask about a request: values by condition key (IAM User Guide, "AWS global
 * condition context keys"; KMS Developer Guide, "Condition keys for AWS KMS"). A key that a request
 * has no value for is absent, never an empty text.
 *
 * Most policies have no conditions, so a context is given as a function that builds it when the
 * first condition or variable asks, once.
 */
import type { Caller, Session } from '../authn/caller.ts'
import { type AccountId, PARTITION } from '../ids.ts'
import type { Tag } from '../store/records.ts'
import { foldCase } from './fold-case.ts'

/** By folded key; several values where the key is multi-valued. */
export type ConditionContext = ReadonlyMap<string, string | readonly string[]>
export type ContextSource = () => ConditionContext

/** A condition key in any case, and its value; `undefined` and empty lists stand for absence. */
export type ConditionEntry = readonly [key: string, value: string | readonly string[] | undefined]

/** What is known of a request before its operation is looked at. */
export interface RequestFacts {
  readonly caller: Caller
  readonly region: string
  /** Of the network peer as the edge saw it. */
  readonly sourceIp: string | null
  readonly userAgent: string | null
  /** Whether the caller came over TLS. */
  readonly secure: boolean
  /** Milliseconds since the epoch. */
  readonly now: number
  /** The service that calls for the caller; set by this process alone, never by a request. */
  readonly via: 's3' | null
}

/** What an operation on a key, or one that creates a key, contributes. */
export interface KmsFacts {
  readonly resourceAccount?: AccountId | undefined
  readonly encryptionContext?: Readonly<Record<string, string>> | undefined
  /** The one that takes effect, also when the request left it out. */
  readonly encryptionAlgorithm?: string | undefined
  readonly keySpec?: string | undefined
  readonly keyUsage?: string | undefined
  readonly keyOrigin?: string | undefined
  readonly multiRegion?: boolean | undefined
  /** Of a multi-Region key. */
  readonly multiRegionKeyType?: 'PRIMARY' | 'REPLICA' | undefined
  /** Names of all aliases of the key. */
  readonly resourceAliases?: readonly string[] | undefined
  /** Whole days since the key was last used, or since it was made. */
  readonly trailingDaysWithoutKeyUsage?: number | undefined
  /** `alias/payments`, when the request named the key by an alias. */
  readonly requestAlias?: string | undefined
  readonly resourceTags?: readonly Tag[] | undefined
  readonly requestTags?: readonly Tag[] | undefined
  /** Tag keys of a request that names tags without values. */
  readonly tagKeys?: readonly string[] | undefined
}

/**
 * Names that differ in case only are one condition key (encryption contexts and tags can have such):
 * their values become a list, which is what single-valued conditions refuse to allow by.
 */
export function conditionContext(entries: Iterable<ConditionEntry>): ConditionContext {
  const context = new Map<string, string | readonly string[]>()
  for (const [key, value] of entries) {
    if (value === undefined || (value.length === 0 && typeof value !== 'string')) continue
    const folded = foldCase(key)
    const before = context.get(folded)
    context.set(folded, before === undefined ? value : [before, value].flat())
  }
  return context
}

/**
 * The context of a request.
 * @param more - what the operation adds; called when a condition or variable asks, at most once
 */
export function requestContext(
  request: RequestFacts,
  more: () => readonly ConditionEntry[] = () => [],
): ContextSource {
  let context: ConditionContext | undefined
  return () => {
    context ??= conditionContext([...globalEntries(request), ...more()])
    return context
  }
}

/** The global keys that a request of an authenticated caller has. */
export const globalEntries = (request: RequestFacts): readonly ConditionEntry[] => [
  ...callerEntries(request.caller),
  ...requestEntries(request),
]

/** What a request says of itself, whoever makes it. */
export function requestEntries(request: Omit<RequestFacts, 'caller'>): readonly ConditionEntry[] {
  const { via } = request
  const service = via === null ? undefined : `${via}.amazonaws.com`
  return [
    ['aws:SecureTransport', String(request.secure)],
    ['aws:SourceIp', request.sourceIp ?? undefined],
    ['aws:CurrentTime', new Date(request.now).toISOString()],
    ['aws:EpochTime', String(Math.floor(request.now / 1000))],
    ['aws:RequestedRegion', request.region],
    ['aws:UserAgent', request.userAgent ?? undefined],
    ['aws:ViaAWSService', String(via !== null)],
    ['aws:CalledVia', service === undefined ? undefined : [service]],
    ['aws:CalledViaFirst', service],
    ['aws:CalledViaLast', service],
  ]
}

/** Who calls. Temporary credentials say more, and that there was no second factor. */
export function callerEntries(caller: Caller): readonly ConditionEntry[] {
  const { session } = caller
  return [
    ['aws:PrincipalArn', caller.principalArn],
    ['aws:PrincipalAccount', caller.account],
    ['aws:PrincipalType', caller.kind],
    ['aws:PrincipalIsAWSService', 'false'],
    ['aws:userid', caller.userId],
    ['aws:username', caller.kind === 'User' ? caller.userName : undefined],
    ...tagEntries('aws:PrincipalTag', caller.tags),
    ...(session === null ? [] : sessionEntries(session, caller.account)),
  ]
}

const sessionEntries = (session: Session, account: AccountId): readonly ConditionEntry[] => [
  ['aws:TokenIssueTime', new Date(session.issuedAt).toISOString()],
  ['aws:MultiFactorAuthPresent', 'false'],
  ['aws:SourceIdentity', session.sourceIdentity ?? undefined],
  ...(session.federated === null ? [] : federatedEntries(session.federated, account)),
]

/**
 * What an identity provider vouches for (IAM User Guide, "Available keys for AWS OIDC federation").
 * @param account - of the role
 */
export const federatedEntries = (
  { provider, subject, audience }: NonNullable<Session['federated']>,
  account: AccountId,
): readonly ConditionEntry[] => [
  ['aws:FederatedProvider', oidcProviderArn(account, provider)],
  [`${provider}:sub`, subject],
  [`${provider}:aud`, audience],
]

/** @param provider - `oidc.example.com/team`: the issuer without its scheme */
export const oidcProviderArn = (account: AccountId, provider: string): string =>
  `arn:${PARTITION}:iam::${account}:oidc-provider/${provider}`

/** The keys of KMS, and those of tags, as far as the facts give them. */
export function kmsEntries(request: RequestFacts, facts: KmsFacts): readonly ConditionEntry[] {
  const { caller, via, region } = request
  return [
    ['kms:CallerAccount', caller.account],
    ['kms:ViaService', via === null ? undefined : `${via}.${region}.amazonaws.com`],
    ['kms:EncryptionAlgorithm', facts.encryptionAlgorithm],
    ['kms:RequestAlias', facts.requestAlias],
    ['aws:ResourceAccount', facts.resourceAccount],
    ...keyEntries(facts),
    ...encryptionContextEntries(facts.encryptionContext ?? {}),
    ...tagEntries('aws:ResourceTag', facts.resourceTags),
    ...tagEntries('aws:RequestTag', facts.requestTags),
    ['aws:TagKeys', facts.requestTags?.map(({ TagKey }) => TagKey) ?? facts.tagKeys],
  ]
}

const keyEntries = (facts: KmsFacts): readonly ConditionEntry[] => [
  ['kms:KeySpec', facts.keySpec],
  ['kms:CustomerMasterKeySpec', facts.keySpec],
  ['kms:KeyUsage', facts.keyUsage],
  ['kms:CustomerMasterKeyUsage', facts.keyUsage],
  ['kms:KeyOrigin', facts.keyOrigin],
  ['kms:MultiRegion', facts.multiRegion?.toString()],
  ['kms:MultiRegionKeyType', facts.multiRegionKeyType],
  ['kms:ResourceAliases', facts.resourceAliases],
  ['kms:TrailingDaysWithoutKeyUsage', facts.trailingDaysWithoutKeyUsage?.toString()],
]

const encryptionContextEntries = (
  pairs: Readonly<Record<string, string>>,
): readonly ConditionEntry[] => [
  ...Object.entries(pairs).map(([k, v]) => [`kms:EncryptionContext:${k}`, v] as const),
  ['kms:EncryptionContextKeys', Object.keys(pairs)],
]

const tagEntries = (key: string, tags: readonly Tag[] = []): readonly ConditionEntry[] =>
  tags.map(({ TagKey, TagValue }) => [`${key}/${TagKey}`, TagValue])
