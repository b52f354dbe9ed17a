/** May this caller do this? The one place where the pipeline asks the policies. */
import {
  type ContextSource,
  kmsEntries,
  type RequestFacts,
  requestContext,
} from '../authz/condition-context.ts'
import { type AccessRequest, type Denied, decide } from '../authz/decide.ts'
import { deniedText, hiddenResourceText } from '../authz/denied-text.ts'
import { JsonError } from '../errors.ts'
import type { FoundKey } from '../keys/keys.ts'
import type { Call, KeyUse, Permission, RequestConditions } from './operation.ts'
import type { Resolved } from './resolve.ts'

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
    context: contextOf(call, conditions, null),
    style: 'service',
  }
  const decision = decide(request)
  if (!decision.allowed) {
    throw new JsonError('AccessDeniedException', deniedText(request, decision))
  }
}

/**
 * @returns the key, now that the caller may use it
 * @throws JsonError AccessDeniedException, in the same words whether a key of another account
 *   refuses or does not exist
 */
export function authorizeKey(
  use: KeyUse,
  { found, arn, account }: Resolved,
  conditions: RequestConditions,
  call: Call,
): FoundKey {
  const request: AccessRequest = {
    caller: call.caller,
    action: use.action,
    resource: { arn, account },
    resourcePolicy: found?.bundle.policy.document ?? null,
    context: contextOf(call, conditions, found),
    style: 'kms',
  }
  const decision = decide(request)
  if (!decision.allowed) {
    throw new JsonError('AccessDeniedException', keyDeniedText(request, found, decision))
  }
  if (found === null) throw new Error('Access to a key that does not exist was allowed.')
  return found
}

/** A ciphertext's key that the caller's own account does not have is told like a foreign one. */
const keyDeniedText = (request: AccessRequest, found: FoundKey | null, denied: Denied): string =>
  found === null && denied.where === 'resource-based'
    ? hiddenResourceText(request)
    : deniedText(request, denied)

/** @returns the values that conditions can ask for, gathered when the first one asks */
export function contextOf(
  call: Call,
  conditions: RequestConditions,
  found: FoundKey | null,
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
      ...(found === null
        ? {}
        : {
            resourceAccount: found.key.account,
            keySpec: found.key.keySpec,
            keyUsage: found.key.keyUsage,
            keyOrigin: found.key.origin,
            multiRegion: found.key.multiRegion,
            requestAlias: found.requestAlias ?? undefined,
            resourceTags: found.key.tags,
          }),
    }),
    ...Object.entries(conditions.others ?? {}),
  ])
}
