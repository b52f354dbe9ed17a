/** The change of the primary of a set (AWS KMS Developer Guide, "Change the primary key in a set of multi-Region keys"). */
import type { Clock } from '../clock.ts'
import { UPDATING_MS } from './key-states.ts'
import type { FoundKey } from './keys.ts'
import { forgetRelated, type MultiRegionServices } from './multi-region.ts'
import { settle } from './multi-region-deletion.ts'
import { noReplica, notPrimary } from './multi-region-rules.ts'
import { changeSet } from './multi-region-set.ts'

/**
 * Makes a replica the primary, and the primary a replica: one write of their set.
 * @param primary - as it is until now
 * @param replica - of the same set
 * @throws JsonError KMSInvalidStateException or ValidationException when they are not by now
 * @throws ConditionFailed, StoreUnavailable
 */
export async function promote(
  primary: FoundKey,
  replica: FoundKey,
  services: Pick<MultiRegionServices, 'keys' | 'store' | 'material'> & { readonly clock: Clock },
): Promise<void> {
  const [from, to] = [primary.key.region, replica.key.region]
  const until = services.clock.now() + UPDATING_MS
  const set = await changeSet(primary.key, services, (present) => {
    if (present.primary !== from) throw notPrimary(primary.arn)
    if (!present.replicas.includes(to)) throw noReplica(primary.key.keyId)
    const replicas = [...present.replicas.filter((region) => region !== to), from].sort()
    return { ...present, primary: to, replicas, updating: { until, regions: [from, to] } }
  })
  forgetRelated(set, services)
  // Their deletion may have been scheduled meanwhile by calls that took them for what they were.
  for (const key of [primary, replica]) await settle(await services.keys.reread(key), services)
}
