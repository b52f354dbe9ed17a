/** Who may do something with a key: every principal of its account, and whom its policy and grants name beyond. */
import type { Caller } from '../authn/caller.ts'
import { compilePolicy } from '../authz/policy.ts'
import {
  type PossibleAccess,
  type PossibleGrant,
  possibleAccess,
} from '../authz/possible-access.ts'
import { coversUse, effectFor } from '../keys/grants.ts'
import type { FoundKey } from '../keys/keys.ts'
import type { GrantRecord } from '../store/records.ts'
import { accessTo } from './authorize.ts'
import type { Call } from './operation.ts'

/**
 * What a principal may do with a key.
 * @param keyPolicy - in the place of the key's own
 * @throws EvaluationError, StoreUnavailable
 */
export async function accessOf(
  caller: Caller,
  action: string,
  key: FoundKey,
  keyPolicy: string | null,
  call: Call,
): Promise<PossibleAccess> {
  const access = await accessTo(key, { use: { action }, conditions: {} }, { ...call, caller })
  const grants = await call.services.grants.ofCaller(key.key, caller, true)
  return possibleAccess(
    { ...access, resourcePolicy: keyPolicy ?? access.resourcePolicy },
    grants.flatMap((grant) => possibleGrant(grant, action, caller)),
  )
}

/** A grant that allows the action, in some encryption context at least. */
function possibleGrant(
  grant: GrantRecord,
  action: string,
  caller: Caller,
): readonly PossibleGrant[] {
  const { constraints } = grant
  const effect = effectFor(grant, caller)
  const allows = coversUse({ ...grant, constraints: null }, action, {})
  if (effect === null || !allows || constraints?.sourceArn !== undefined) return []
  return [{ grantId: grant.grantId, effect, constrained: constraints !== null }]
}

/** Whom of other accounts a key policy names: ARNs, accounts as that of their root, and `*`. */
export function namedOutside(keyPolicy: string, account: string): readonly string[] {
  const { principals, statements } = compilePolicy(keyPolicy, 'key')
  const everyone = statements.some(
    ({ effect, principal }) =>
      effect === 'Allow' &&
      principal !== null &&
      !principal.negated &&
      principal.principals.everyone,
  )
  const outside = principals.filter((principal) => {
    const owner = principal.split(':')[4]
    return owner !== undefined && owner !== '' && owner !== account
  })
  return everyone ? ['*', ...outside] : outside
}
