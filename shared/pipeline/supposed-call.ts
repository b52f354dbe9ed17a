/**
 * A call that somebody might make, or has made: who, what, on which key, and under which
 * circumstances. It is decided by the code that decides real calls, and nothing is done.
 */

import type { Caller } from '../authn/caller.ts'
import type { ConditionEntry } from '../authz/condition-context.ts'
import { conditionContext } from '../authz/condition-context.ts'
import { type ConsideredGrant, type Explanation, explain } from '../authz/explain.ts'
import { coversUse, effectFor, isGrantable } from '../keys/grants.ts'
import type { FoundKey } from '../keys/keys.ts'
import type { GrantRecord } from '../store/records.ts'
import { accessTo } from './authorize.ts'
import type { Call, RequestConditions } from './operation.ts'

export interface SupposedCall {
  readonly caller: Caller
  /** `kms:Decrypt` */
  readonly action: string
  readonly key: FoundKey
  readonly conditions: RequestConditions
  /** Values of condition keys that take the place of those that the call itself would have. */
  readonly values?: readonly ConditionEntry[]
  /** A key policy that takes the place of the key's own. */
  readonly keyPolicy?: string
}

/**
 * Why the call would be allowed or denied now.
 * @param call - as which it would be made: Region, address, time, the service that calls
 * @throws EvaluationError, StoreUnavailable
 */
export async function explainSupposed(supposed: SupposedCall, call: Call): Promise<Explanation> {
  const { caller, action, key, conditions, values = [], keyPolicy } = supposed
  const access = await accessTo(key, { use: { action }, conditions }, { ...call, caller })
  const context =
    values.length === 0
      ? access.context
      : () => new Map([...access.context(), ...conditionContext(values)])
  const resourcePolicy = keyPolicy ?? access.resourcePolicy
  return explain({ ...access, context, resourcePolicy }, await consideredGrants(supposed, call))
}

async function consideredGrants(
  { caller, action, key, conditions }: SupposedCall,
  { services }: Call,
): Promise<readonly ConsideredGrant[]> {
  if (!isGrantable(action)) return []
  const grants = await services.grants.ofCaller(key.key, caller, true)
  const { encryptionContext = {} } = conditions
  return grants.map((grant) => {
    const covers = coversUse(grant, action, encryptionContext)
    return {
      grantId: grant.grantId,
      effect: covers ? effectFor(grant, caller) : null,
      failed: covers ? null : failureOf(grant, action),
    }
  })
}

const failureOf = ({ operations }: GrantRecord, action: string): string =>
  operations.some((operation) => action === `kms:${operation}`)
    ? 'The constraints on the encryption context do not hold.'
    : `It allows ${operations.join(', ')} only.`
