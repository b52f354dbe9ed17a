import { parseRegion, type Region } from '../../shared/ids.ts'
import { promotable } from '../../shared/keys/key-states.ts'
import type { FoundKey } from '../../shared/keys/keys.ts'
import { requireKeyIn, requirePrimaryToChange } from '../../shared/keys/multi-region-rules.ts'
import { promote } from '../../shared/keys/promotion.ts'
import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import { readKey } from '../../shared/pipeline/key-use.ts'
import { keyIdentifier, regionName } from '../../shared/pipeline/kms-members.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'
import { unlessOvertaken } from '../../shared/pipeline/overtaken.ts'
import { execute } from '../../shared/pipeline/pipeline.ts'
import { type Input, required, type Shape, structure } from '../../shared/pipeline/shape.ts'

const request = structure({
  KeyId: required(keyIdentifier),
  PrimaryRegion: required(regionName),
})

const ACTION = 'kms:UpdatePrimaryRegion'
const conditions = ({ PrimaryRegion }: { readonly PrimaryRegion: string }) => ({
  others: { 'kms:primaryregion': PrimaryRegion },
})

/** Makes the replica of another Region the primary of its set, and the primary a replica. */
export const updatePrimaryRegion: Operation<Input<typeof request>, void, 'key'> = {
  service: 'kms',
  name: 'UpdatePrimaryRegion',
  input: request,
  readOnly: false,
  keys: ({ KeyId }) => ({ key: { ...readKey(KeyId, ACTION), states: promotable } }),
  conditions,
  check({ PrimaryRegion }, { key }) {
    requirePrimaryToChange(key)
    requireKeyIn(PrimaryRegion, key)
  },
  async run({ PrimaryRegion }, { key }, call) {
    if (PrimaryRegion === key.key.region) return
    const region = parseRegion(PrimaryRegion) as Region
    await execute(becomePrimary, () => ({ primary: key, PrimaryRegion }), { ...call, region })
  },
  audit: {
    requestParameters: ({ KeyId, PrimaryRegion }) => ({
      keyId: KeyId,
      primaryRegion: PrimaryRegion,
    }),
  },
}

interface Promotion {
  readonly primary: FoundKey
  readonly PrimaryRegion: string
}

const fromNoClient: Shape<Promotion> = {
  read() {
    throw new Error('The half of a promotion is no request of a client.')
  },
}

/**
 * The same call in the Region of the replica: the caller needs the permission there too, and finds
 * the call in the audit trails of both Regions.
 */
const becomePrimary: Operation<Promotion, void, 'key'> = {
  service: 'kms',
  name: 'UpdatePrimaryRegion',
  input: fromNoClient,
  readOnly: false,
  keys: ({ primary }) => ({ key: { ...readKey(primary.key.keyId, ACTION), states: promotable } }),
  conditions,
  run: ({ primary }, { key }, { services }) => unlessOvertaken(promote(primary, key, services)),
  audit: {
    requestParameters: ({ PrimaryRegion }, { key }) => ({
      keyId: key?.arn,
      primaryRegion: PrimaryRegion,
    }),
  },
}

export const handler = jsonHandler(updatePrimaryRegion)
