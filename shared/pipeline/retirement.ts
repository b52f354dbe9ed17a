/**
 * Who may retire a grant: whom it names for that, a grantee who was allowed to, and the account that
 * made it. The key's policy has no say, neither for nor against (AWS KMS Developer Guide, "Retiring and
 * revoking grants").
 */
import { type AccessRequest, decide } from '../authz/decide.ts'
import { deniedText } from '../authz/denied-text.ts'
import { JsonError } from '../errors.ts'
import type { GrantId } from '../ids.ts'
import { contextOf as constraintContext, constraintType, retirementEffect } from '../keys/grants.ts'
import { readable } from '../keys/key-states.ts'
import type { FoundKey } from '../keys/keys.ts'
import type { GrantRecord } from '../store/records.ts'
import { blindDenial, blindRequest, contextOf, denial } from './authorize.ts'
import type { Call, KeyName, KeyUse, RequestConditions } from './operation.ts'
import type { Resolved } from './resolve.ts'

const ACTION = 'kms:RetireGrant'

/** What was found of the grant to retire. */
export interface Retirement {
  grant: GrantRecord | null
}

/**
 * The use of a key whose grant is to be retired.
 * @param into - gets the grant, once the caller may retire it
 */
export const retiredGrant = (name: KeyName, grantId: GrantId, into: Retirement): KeyUse => ({
  name,
  action: ACTION,
  states: readable,
  async authorize(resolved, call) {
    const { found, grant } = await authorizeRetirement(grantId, resolved, call)
    into.grant = grant
    return found
  },
})

/** The error for a grant that a key does not have. */
export const grantMissing = (grantId: string): JsonError =>
  new JsonError('NotFoundException', `Grant ID ${grantId} not found`)

/**
 * @throws JsonError AccessDeniedException, in the same words whether or not there is such a grant, to
 *   whoever has no permission of its own; NotFoundException in the key's own account
 */
async function authorizeRetirement(
  grantId: GrantId,
  resolved: Resolved,
  call: Call,
): Promise<{ found: FoundKey; grant: GrantRecord }> {
  const { found } = resolved
  const grant = found && (await call.services.store.grants.get(found.key, grantId))
  const isOwn = resolved.account === call.caller.account
  const blind = blindRequest({ use: { action: ACTION }, resolved, conditions: {} }, call)
  if (found === null || grant === null) {
    throw isOwn
      ? refusalOfMissing(blind, resolved.missing ?? grantMissing(grantId))
      : blindDenial(blind)
  }
  const access = { ...blind, context: contextOf(call, conditionsOf(grant), found) }
  const decision = decide(access, retirementEffect(grant, call.caller))
  if (decision.allowed) return { found, grant }
  throw isOwn ? denial(deniedText(access, decision)) : blindDenial(blind)
}

function refusalOfMissing(blind: AccessRequest, missing: JsonError): JsonError {
  const decision = decide({ ...blind, style: 'service' })
  return decision.allowed ? missing : denial(deniedText(blind, decision))
}

function conditionsOf({ constraints }: GrantRecord): RequestConditions {
  const encryptionContext = constraintContext(constraints)
  return {
    ...(encryptionContext === null ? {} : { encryptionContext }),
    others: { 'kms:grantconstrainttype': constraintType(constraints) },
  }
}
