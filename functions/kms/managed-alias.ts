/** AWS managed keys as the KMS API makes them: DescribeKey of an AWS alias that leads to no key yet. */
import { decide } from '../../shared/authz/decide.ts'
import { ensureManagedKey, isManagedAlias } from '../../shared/blobs/managed-key.ts'
import { blindRequest } from '../../shared/pipeline/authorize.ts'
import type { Call, KeyUse } from '../../shared/pipeline/operation.ts'
import { resolveKey } from '../../shared/pipeline/resolve.ts'

/**
 * Makes the managed key that a request names by its alias, unless it is there. Nothing is made for
 * who may not know that it is not (AWS KMS API reference, DescribeKey: "If you call the DescribeKey
 * operation on a predefined AWS alias").
 */
export async function makeManagedKey(use: KeyUse, call: Call): Promise<void> {
  const { caller, region, services } = call
  const isManaged =
    use.name.by === 'identifier' && isManagedAlias(use.name.text, caller.account, region)
  if (!isManaged) return
  const resolved = await resolveKey(use, call)
  if (resolved.found !== null) return
  const blind = blindRequest({ use, resolved, conditions: {} }, call)
  if (!decide({ ...blind, style: 'service' }).allowed) return
  await ensureManagedKey(caller.account, region, services)
}
