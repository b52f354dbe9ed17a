/** May this caller do this? The one place where the pipeline asks the policies. */
import {
  type ContextSource,
  kmsEntries,
  type RequestFacts,
  requestContext,
} from '../authz/condition-context.ts'
import { type AccessRequest, decide } from '../authz/decide.ts'
import { deniedText, hiddenResourceText } from '../authz/denied-text.ts'
import { JsonError } from '../errors.ts'
import type { FoundKey } from '../keys/keys.ts'
import type { KeyRecord } from '../store/records.ts'
import type { Call, KeyUse, Permission, RequestConditions } from './operation.ts'
import type { Resolved } from './resolve.ts'

/** What conditions can ask about a key, and how the request called it. */
export interface KeyFacts {
  readonly key: Pick<
    KeyRecord,
    'account' | 'keySpec' | 'keyUsage' | 'origin' | 'multiRegion' | 'tags'
  > | null
  readonly requestAlias: string | null
}

const NO_KEY: KeyFacts = { key: null, requestAlias: null }

/** @throws JsonError AccessDeniedException when the identity policies do not allow it */
export function authorizePermission(
  { action, resource }: Permission,
  conditions: RequestConditions,
  call: Call,
): void {
  const { caller } = call
  const request: AccessRequest = {
    caller,
    action,
    resource: resource === null ? null : { arn: resource, account: caller.account },
    resourcePolicy: null,
    context: contextOf(call, conditions, NO_KEY),
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
export function authorizeKey(
  use: KeyUse,
  resolved: Resolved,
  conditions: RequestConditions,
  call: Call,
): FoundKey {
  const { found, account } = resolved
  if (account !== call.caller.account) return authorizeForeignKey(use, resolved, conditions, call)
  if (found === null) throw refusalOfMissing(use, resolved, conditions, call)
  const request: AccessRequest = {
    caller: call.caller,
    action: use.action,
    resource: { arn: found.arn, account },
    resourcePolicy: found.bundle.policy.document,
    context: contextOf(call, conditions, found),
    style: 'kms',
  }
  const decision = decide(request)
  if (!decision.allowed) throw denial(deniedText(request, decision))
  return found
}

/** A key of another account: a refusal is worded from what the request itself says, and so is the same for every key. */
function authorizeForeignKey(
  use: KeyUse,
  resolved: Resolved,
  conditions: RequestConditions,
  call: Call,
): FoundKey {
  const { found, account } = resolved
  const blind = blindRequest(use, resolved, conditions, call)
  if (found !== null) {
    const { allowed } = decide({
      ...blind,
      resource: { arn: found.arn, account },
      resourcePolicy: found.bundle.policy.document,
      context: contextOf(call, conditions, found),
    })
    if (allowed) return found
  }
  const refused = decide(blind)
  throw denial(refused.allowed ? hiddenResourceText(blind) : deniedText(blind, refused))
}

/**
 * The refusal for a key that the caller's own account does not have. Identity policies alone tell
 * who might have used it: nobody else learns that it does not exist.
 */
function refusalOfMissing(
  use: KeyUse,
  resolved: Resolved,
  conditions: RequestConditions,
  call: Call,
): JsonError {
  const blind = blindRequest(use, resolved, conditions, call)
  if (resolved.missing === null) return denial(hiddenResourceText(blind))
  const decision = decide({ ...blind, style: 'service' })
  return decision.allowed ? resolved.missing : denial(deniedText(blind, decision))
}

/** The request as it is before anything was looked up. */
const blindRequest = (
  { action }: KeyUse,
  { named, account, requestAlias }: Resolved,
  conditions: RequestConditions,
  call: Call,
): AccessRequest => ({
  caller: call.caller,
  action,
  resource: { arn: named, account },
  resourcePolicy: null,
  context: contextOf(call, conditions, { key: null, requestAlias }),
  style: 'kms',
})

const denial = (text: string): JsonError => new JsonError('AccessDeniedException', text)

/** @returns the values that conditions can ask for, gathered when the first one asks */
export function contextOf(
  call: Call,
  conditions: RequestConditions,
  { key, requestAlias }: KeyFacts,
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
