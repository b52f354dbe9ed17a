/** May this caller do this? The one place where the pipeline asks the policies. */
import {
  type ContextSource,
  kmsEntries,
  type RequestFacts,
  requestContext,
} from '../authz/condition-context.ts'
import { type AccessRequest, type Decision, decide } from '../authz/decide.ts'
import { deniedText, hiddenResourceText } from '../authz/denied-text.ts'
import { compilePolicy, type PolicyKind } from '../authz/policy.ts'
import { JsonError } from '../errors.ts'
import { MAX_ALIASES_PER_KEY } from '../keys/aliases.ts'
import type { FoundKey } from '../keys/keys.ts'
import type { KeyBundle, KeyRecord, PolicyDocument } from '../store/records.ts'
import type { GrantAddress } from '../tenants/grant-tokens.ts'
import { grantEffect } from './grants.ts'
import type { Call, KeyUse, Permission, RequestConditions } from './operation.ts'
import type { Resolved } from './resolve.ts'

/** What conditions can ask about a key, and how the request called it. */
export interface KeyFacts {
  readonly key:
    | (Pick<
        KeyRecord,
        'account' | 'region' | 'keySpec' | 'keyUsage' | 'origin' | 'multiRegion' | 'tags'
      > &
        Partial<Pick<KeyRecord, 'createdAt'>>)
    | null
  readonly requestAlias: string | null
  readonly bundle?: Pick<KeyBundle, 'related' | 'lastUsage'>
  /** Names of the key's aliases, where somebody asks for them. */
  readonly aliases?: readonly string[]
  /** Whether for how long the key was not used matters. */
  readonly ends?: boolean
}

/** One key of a request, and what the caller wants to do with it. */
export interface KeyRequest {
  readonly use: KeyUse
  readonly resolved: Resolved
  readonly conditions: RequestConditions
  /** The grants that the request brings tokens of. */
  readonly tokens: readonly GrantAddress[]
}

const NO_KEY: KeyFacts = { key: null, requestAlias: null }

/** @throws JsonError AccessDeniedException when neither identity policies nor the resource's own allow it */
export function authorizePermission(
  { action, resource, policy = null, conditions: own }: Permission,
  conditions: RequestConditions,
  call: Call,
): void {
  const { caller } = call
  const request: AccessRequest = {
    caller,
    action,
    resource: resource === null ? null : { arn: resource, account: caller.account },
    resourcePolicy: policy,
    context: contextOf(
      call,
      own === undefined ? conditions : { ...conditions, others: { ...conditions.others, ...own } },
      NO_KEY,
    ),
    style: 'service',
  }
  const decision = decide(request)
  if (!decision.allowed) throw denial(deniedText(request, decision))
}

/**
 * @returns the key, now that the caller may use it
 * @throws JsonError AccessDeniedException, in the same words whether a key of another account
 *   refuses or does not exist; NotFoundException when the caller's own account has no such key and
 *   the caller might use it if there were one
 */
export async function authorizeKey(request: KeyRequest, call: Call): Promise<FoundKey> {
  const { found, account } = request.resolved
  if (account !== call.caller.account) return await authorizeForeignKey(request, call)
  if (found === null) throw refusalOfMissing(request, call)
  const access = await accessTo(found, request, call)
  const decision = await decideWithGrants(access, found, request, call)
  if (!decision.allowed) throw denial(deniedText(access, decision))
  return found
}

/** A key of another account, whose keys rest while it is suspended: a refusal is worded from what the request itself says, and so is the same for every key. */
async function authorizeForeignKey(request: KeyRequest, call: Call): Promise<FoundKey> {
  const { found, account } = request.resolved
  if (found !== null && (await call.services.accessKeys.isActive(account))) {
    const access = await accessTo(found, request, call)
    if ((await decideWithGrants(access, found, request, call)).allowed) return found
  }
  throw blindDenial(blindRequest(request, call))
}

/** Policies first: grants are looked for only where policies neither allow nor deny. */
async function decideWithGrants(
  access: AccessRequest,
  found: FoundKey,
  { use, conditions, tokens }: KeyRequest,
  call: Call,
): Promise<Decision> {
  const decision = decide(access)
  if (decision.allowed || decision.reason === 'explicit-deny') return decision
  const effect = await grantEffect(use, found, conditions, tokens, call)
  return effect === null ? decision : decide(access, effect)
}

/** What is to be decided when somebody wants to use a key. */
export async function accessTo(
  found: FoundKey,
  { use, conditions }: Pick<KeyRequest, 'conditions'> & { readonly use: Pick<KeyUse, 'action'> },
  call: Call,
): Promise<AccessRequest> {
  const aliases = asksForAliases(call) ? { aliases: await aliasesOf(found, call) } : {}
  return {
    caller: call.caller,
    action: use.action,
    resource: { arn: found.arn, account: found.key.account },
    resourcePolicy: found.bundle.policy.document,
    context: contextOf(call, conditions, {
      ...found,
      ...aliases,
      ends: ENDING.has(use.action),
    }),
    style: 'kms',
  }
}

/**
 * The refusal for a key that the caller's own account does not have. Identity policies alone tell
 * who might have used it: nobody else learns that it does not exist.
 */
function refusalOfMissing(request: KeyRequest, call: Call): JsonError {
  const blind = blindRequest(request, call)
  const { missing } = request.resolved
  if (missing === null) return denial(hiddenResourceText(blind))
  const decision = decide({ ...blind, style: 'service' })
  return decision.allowed ? missing : denial(deniedText(blind, decision))
}

/** The request as it is before anything was looked up. */
export const blindRequest = (
  {
    use,
    resolved,
    conditions,
  }: Pick<KeyRequest, 'resolved' | 'conditions'> & { readonly use: Pick<KeyUse, 'action'> },
  call: Call,
): AccessRequest => ({
  caller: call.caller,
  action: use.action,
  resource: { arn: resolved.named, account: resolved.account },
  resourcePolicy: null,
  context: contextOf(call, conditions, { key: null, requestAlias: resolved.requestAlias }),
  style: 'kms',
})

/** The refusal that tells nothing of another account's keys. @param blind - as `blindRequest` gives it */
export function blindDenial(blind: AccessRequest): JsonError {
  const refused = decide(blind)
  return denial(refused.allowed ? hiddenResourceText(blind) : deniedText(blind, refused))
}

/** @param text - as `deniedText` or `hiddenResourceText` words it */
export const denial = (text: string): JsonError => new JsonError('AccessDeniedException', text)

/** @returns the values that conditions can ask for, gathered when the first one asks */
export function contextOf(
  call: Call,
  conditions: RequestConditions,
  { key, requestAlias, bundle, aliases, ends = false }: KeyFacts,
): ContextSource {
  const facts: RequestFacts = {
    caller: call.caller,
    region: call.region,
    sourceIp: call.sourceIp,
    userAgent: call.userAgent,
    secure: call.secure,
    now: call.services.clock.now(),
    via: call.via,
  }
  return requestContext(facts, () => [
    ...kmsEntries(facts, {
      encryptionContext: conditions.encryptionContext,
      encryptionAlgorithm: conditions.encryptionAlgorithm,
      requestTags: conditions.requestTags,
      tagKeys: conditions.tagKeys,
      requestAlias: requestAlias ?? undefined,
      ...(key === null ? {} : keyFacts(key)),
      ...(key === null || bundle === undefined ? {} : bundleFacts(key, bundle)),
      trailingDaysWithoutKeyUsage:
        ends && key !== null ? daysWithoutUse(key, bundle, facts.now) : undefined,
      resourceAliases: aliases,
    }),
    ...Object.entries(conditions.others ?? {}),
  ])
}

const keyFacts = (key: NonNullable<KeyFacts['key']>) => ({
  resourceAccount: key.account,
  keySpec: key.keySpec,
  keyUsage: key.keyUsage,
  keyOrigin: key.origin,
  multiRegion: key.multiRegion,
  resourceTags: key.tags,
})

const bundleFacts = (
  { region }: NonNullable<KeyFacts['key']>,
  { related }: NonNullable<KeyFacts['bundle']>,
) =>
  ({
    multiRegionKeyType:
      related === null ? undefined : related.primary === region ? 'PRIMARY' : 'REPLICA',
  }) as const

/** What puts a key out of use, for good or for a while. */
const ENDING: ReadonlySet<string> = new Set(['kms:ScheduleKeyDeletion', 'kms:DisableKey'])
const DAY_MS = 86_400_000

/** A key that was never used counts from its creation. */
function daysWithoutUse(
  { createdAt = 0 }: NonNullable<KeyFacts['key']>,
  bundle: KeyFacts['bundle'],
  now: number,
): number {
  const since = bundle?.lastUsage?.at ?? createdAt
  return Math.max(0, Math.floor((now - since) / DAY_MS))
}

function asksForAliases({ caller }: Call): boolean {
  const { policies, boundary, sessionPolicies } = caller
  const asks = (kind: PolicyKind, documents: readonly PolicyDocument[]): boolean =>
    documents.some(({ document }) => compilePolicy(document, kind).asksForAliases)
  return (
    asks('identity', policies) ||
    (boundary !== null && asks('identity', [boundary])) ||
    (sessionPolicies !== null && asks('session', sessionPolicies))
  )
}

/** From the index, each read again: an alias that went elsewhere no longer counts. */
async function aliasesOf({ key }: FoundKey, { services }: Call): Promise<readonly string[]> {
  const { aliases } = services.store
  const { account, region, keyId } = key
  const listed = await aliases.listOfKey(account, region, keyId, MAX_ALIASES_PER_KEY, null)
  const present = await Promise.all(
    listed.items.map(({ aliasName }) => aliases.get(account, region, aliasName)),
  )
  return present.flatMap((alias) => (alias?.targetKeyId === keyId ? [alias.aliasName] : []))
}
