/**
 * What ReplicateKey does in the Region of the replica: a CreateKey of the same caller, who needs
 * that permission there and finds it in that Region's audit trail (AWS KMS Developer Guide,
 * "Control access to multi-Region keys"). Nobody can ask for it by itself.
 */
import { defaultKeyPolicy } from '../../shared/authz/default-key-policy.ts'
import { keyArn, type Region } from '../../shared/ids.ts'
import { keyMetadata } from '../../shared/keys/key-metadata.ts'
import type { FoundKey } from '../../shared/keys/keys.ts'
import { createReplica } from '../../shared/keys/replication.ts'
import { requireOwnTags, withTags } from '../../shared/keys/tags.ts'
import { acceptKeyPolicy } from '../../shared/pipeline/key-policy.ts'
import type { Call, Operation } from '../../shared/pipeline/operation.ts'
import { overtaken } from '../../shared/pipeline/overtaken.ts'
import type { Shape } from '../../shared/pipeline/shape.ts'
import type { Tag } from '../../shared/store/records.ts'
import { ConditionFailed } from '../../shared/store/repositories.ts'
import { auditedMetadata, auditedTags } from './audited-metadata.ts'

interface ReplicaRequest {
  readonly primary: FoundKey
  /** Of the replica. */
  readonly region: Region
  readonly Policy?: string
  readonly BypassPolicyLockoutSafetyCheck?: boolean
  readonly Description?: string
  readonly Tags?: readonly Tag[]
}

const fromNoClient: Shape<ReplicaRequest> = {
  read() {
    throw new Error('The making of a replica is no request of a client.')
  },
}

export const createReplicaKey: Operation<ReplicaRequest, FoundKey> = {
  service: 'kms',
  name: 'CreateKey',
  input: fromNoClient,
  readOnly: false,
  permissions: ({ Tags = [] }) => [
    { action: 'kms:CreateKey', resource: null },
    ...(Tags.length === 0 ? [] : [{ action: 'kms:TagResource', resource: null }]),
  ],
  conditions: ({ primary: { key }, Tags = [], BypassPolicyLockoutSafetyCheck }) => ({
    requestTags: Tags,
    others: {
      'kms:keyspec': key.keySpec,
      'kms:keyusage': key.keyUsage,
      'kms:keyorigin': key.origin,
      'kms:multiregion': 'true',
      'kms:multiregionkeytype': 'REPLICA',
      'kms:bypasspolicylockoutsafetycheck': String(BypassPolicyLockoutSafetyCheck === true),
    },
  }),
  async run(input, _keys, call) {
    const { primary, region, Description: description = '', Tags = [] } = input
    requireOwnTags(Tags)
    const tags = withTags([], Tags)
    const policy = await policyOf(input, tags, call)
    try {
      return await createReplica(primary, { region, description, tags, policy }, call.services)
    } catch (error) {
      throw error instanceof ConditionFailed ? overtaken({ cause: error }) : error
    }
  },
  audit: {
    requestParameters: ({ primary: { key }, ...input }) => ({
      policy: input.Policy,
      description: input.Description,
      keyUsage: key.keyUsage,
      keySpec: key.keySpec,
      origin: key.origin,
      multiRegion: true,
      bypassPolicyLockoutSafetyCheck: input.BypassPolicyLockoutSafetyCheck,
      tags: auditedTags(input.Tags),
    }),
    responseElements: (replica) => ({ keyMetadata: auditedMetadata(keyMetadata(replica)) }),
    resources: ({ primary: { key }, region }) => [
      {
        accountId: key.account,
        type: 'AWS::KMS::Key',
        ARN: keyArn(region, key.account, key.keyId),
      },
    ],
  },
}

/** @throws JsonError MalformedPolicyDocumentException, InvalidArnException or LimitExceededException */
async function policyOf(
  { primary, region, Policy, BypassPolicyLockoutSafetyCheck }: ReplicaRequest,
  tags: readonly Tag[],
  call: Call,
): Promise<string> {
  if (Policy === undefined) return defaultKeyPolicy(call.caller.account)
  const owner = { ...primary.key, region, tags }
  return await acceptKeyPolicy(Policy, owner, BypassPolicyLockoutSafetyCheck === true, call)
}
