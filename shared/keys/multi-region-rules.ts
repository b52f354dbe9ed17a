/** What ReplicateKey and UpdatePrimaryRegion refuse (AWS KMS API reference; texts of the live service). */
import { JsonError } from '../errors.ts'
import type { Region } from '../ids.ts'
import type { FoundKey } from './keys.ts'
import { isPrimary } from './multi-region.ts'

/** @throws JsonError UnsupportedOperationException for a replica and for a single-Region key */
export function requirePrimaryToReplicate({ arn, bundle }: FoundKey): void {
  if (isPrimary(bundle)) return
  throw new JsonError('UnsupportedOperationException', `${arn} is not a multi-region primary key.`)
}

/** @throws JsonError KMSInvalidStateException for a replica and for a single-Region key */
export function requirePrimaryToChange({ arn, bundle }: FoundKey): void {
  if (!isPrimary(bundle)) throw notPrimary(arn)
}

export const notPrimary = (arn: string): JsonError =>
  new JsonError('KMSInvalidStateException', `${arn} is not a multi-Region primary key.`)

/** The beginnings of the names of Regions that are not in the partition `aws`. */
const OTHER_PARTITIONS = /^(?:cn|us-gov|us-iso[a-z]*|eu-isoe|eusc)-/

/**
 * @param region - where a replica is asked for
 * @param served - the Regions of this deployment
 * @throws JsonError ValidationException for a Region where there can be none
 */
export function requireReplicaRegion(
  region: string,
  { key }: FoundKey,
  served: readonly Region[],
): void {
  const refusal = replicaRegionRefusal(region, key.region, served)
  if (refusal !== null) throw new JsonError('ValidationException', refusal)
}

function replicaRegionRefusal(
  region: string,
  primary: Region,
  served: readonly Region[],
): string | null {
  if (region === primary) {
    return `${region} cannot have a replica because it contains the primary.`
  }
  if (OTHER_PARTITIONS.test(region)) {
    return 'The replica key Region must be in the same AWS partition as the primary key Region.'
  }
  if (served.some((each) => each === region)) return null
  return `Region ${region} is not a valid Region or multi-Region keys are not supported in Region ${region}.`
}

/** @throws JsonError ValidationException when a Region holds no key of the set */
export function requireKeyIn(region: string, { key, bundle: { related } }: FoundKey): void {
  if (related?.primary === region || related?.replicas.some((each) => each === region)) return
  throw noReplica(key.keyId)
}

export const noReplica = (keyId: string): JsonError =>
  new JsonError(
    'ValidationException',
    `${keyId} does not have a replica key in the specified Region.`,
  )
