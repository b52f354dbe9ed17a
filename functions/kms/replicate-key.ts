import { recordServiceEvent } from '../../shared/audit/service-event.ts'
import { keyArn, parseRegion, type Region } from '../../shared/ids.ts'
import { type KeyMetadata, keyMetadata } from '../../shared/keys/key-metadata.ts'
import { replicable } from '../../shared/keys/key-states.ts'
import {
  requirePrimaryToReplicate,
  requireReplicaRegion,
} from '../../shared/keys/multi-region-rules.ts'
import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import { readKey } from '../../shared/pipeline/key-use.ts'
import { keyIdentifier, policyText, regionName, tags } from '../../shared/pipeline/kms-members.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'
import { execute } from '../../shared/pipeline/pipeline.ts'
import { boolean, type Input, required, string, structure } from '../../shared/pipeline/shape.ts'
import type { Tag } from '../../shared/store/records.ts'
import { auditedMetadata, auditedTags } from './audited-metadata.ts'
import { createReplicaKey } from './create-replica-key.ts'

const request = structure({
  KeyId: required(keyIdentifier),
  ReplicaRegion: required(regionName),
  Policy: policyText,
  BypassPolicyLockoutSafetyCheck: boolean,
  Description: string({ max: 8192 }),
  Tags: tags,
})

export interface ReplicateKeyResponse {
  readonly ReplicaKeyMetadata: KeyMetadata
  readonly ReplicaPolicy: string
  readonly ReplicaTags?: readonly Tag[]
}

/** Makes a key of the same id and material in another Region, with a policy and tags of its own. */
export const replicateKey: Operation<Input<typeof request>, ReplicateKeyResponse, 'key'> = {
  service: 'kms',
  name: 'ReplicateKey',
  input: request,
  readOnly: false,
  keys: ({ KeyId }) => ({ key: { ...readKey(KeyId, 'kms:ReplicateKey'), states: replicable } }),
  conditions: ({ ReplicaRegion }) => ({ others: { 'kms:replicaregion': ReplicaRegion } }),
  check({ ReplicaRegion }, { key }, { services }) {
    requirePrimaryToReplicate(key)
    requireReplicaRegion(ReplicaRegion, key, services.regions)
  },
  async run({ ReplicaRegion, ...own }, { key }, call) {
    const region = parseRegion(ReplicaRegion) as Region
    const replica = await execute(createReplicaKey, () => ({ ...own, primary: key, region }), {
      ...call,
      region,
    })
    await recordServiceEvent(call.services, {
      eventName: 'SynchronizeMultiRegionKey',
      key: replica.key,
      occurrence: `replica ${replica.key.createdAt}`,
      details: { keyId: keyArn(region, replica.key.account, replica.key.keyId) },
    })
    const { tags } = replica.key
    return {
      ReplicaKeyMetadata: keyMetadata(replica),
      ReplicaPolicy: replica.bundle.policy.document,
      ...(tags.length === 0 ? {} : { ReplicaTags: tags }),
    }
  },
  audit: {
    requestParameters: (input) => ({
      keyId: input.KeyId,
      replicaRegion: input.ReplicaRegion,
      policy: input.Policy,
      bypassPolicyLockoutSafetyCheck: input.BypassPolicyLockoutSafetyCheck,
      description: input.Description,
      tags: auditedTags(input.Tags),
    }),
    responseElements: ({ ReplicaKeyMetadata, ReplicaPolicy, ReplicaTags }) => ({
      replicaKeyMetadata: auditedMetadata(ReplicaKeyMetadata),
      replicaPolicy: ReplicaPolicy,
      replicaTags: auditedTags(ReplicaTags),
    }),
  },
}

export const handler = jsonHandler(replicateKey)
