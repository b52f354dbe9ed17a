import { defaultKeyPolicy } from '../../shared/authz/default-key-policy.ts'
import { newKeyId } from '../../shared/keys/key-id.ts'
import { type KeyMetadata, keyMetadata } from '../../shared/keys/key-metadata.ts'
import { requireSupportedKey } from '../../shared/keys/key-specs.ts'
import { createMaterial } from '../../shared/keys/material.ts'
import { requireOwnTags, withTags } from '../../shared/keys/tags.ts'
import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import { acceptKeyPolicy } from '../../shared/pipeline/key-policy.ts'
import {
  customerMasterKeySpec,
  customKeyStoreId,
  keyOrigin,
  keySpec,
  keyUsage,
  policyText,
  tags,
} from '../../shared/pipeline/kms-members.ts'
import type { Call, Operation } from '../../shared/pipeline/operation.ts'
import { boolean, type Input, string, structure } from '../../shared/pipeline/shape.ts'
import type { KeyRecord } from '../../shared/store/records.ts'

const request = structure({
  Policy: policyText,
  Description: string({ max: 8192 }),
  KeyUsage: keyUsage,
  CustomerMasterKeySpec: customerMasterKeySpec,
  KeySpec: keySpec,
  Origin: keyOrigin,
  CustomKeyStoreId: customKeyStoreId,
  BypassPolicyLockoutSafetyCheck: boolean,
  Tags: tags,
  MultiRegion: boolean,
  XksKeyId: string({ min: 1, max: 128, pattern: /^[a-zA-Z0-9-_.]+$/ }),
})
type CreateKeyRequest = Input<typeof request>

export interface CreateKeyResponse {
  readonly KeyMetadata: KeyMetadata
}

/** A new key with its first material, enabled. A repeated call makes another key. */
export const createKey: Operation<CreateKeyRequest, CreateKeyResponse> = {
  service: 'kms',
  name: 'CreateKey',
  input: request,
  readOnly: false,
  permissions: ({ Tags = [] }) => [
    { action: 'kms:CreateKey', resource: null },
    ...(Tags.length === 0 ? [] : [{ action: 'kms:TagResource', resource: null }]),
  ],
  conditions: (input) => ({
    requestTags: input.Tags ?? [],
    others: {
      'kms:keyspec': input.KeySpec ?? input.CustomerMasterKeySpec ?? 'SYMMETRIC_DEFAULT',
      'kms:keyusage': input.KeyUsage ?? 'ENCRYPT_DECRYPT',
      'kms:keyorigin': input.Origin ?? 'AWS_KMS',
      'kms:multiregion': String(input.MultiRegion === true),
      'kms:bypasspolicylockoutsafetycheck': String(input.BypassPolicyLockoutSafetyCheck === true),
    },
  }),
  async run(input, _keys, call) {
    requireSupportedKey(input)
    requireOwnTags(input.Tags ?? [])
    const { services } = call
    const key = newKey(input, call)
    const document =
      input.Policy === undefined
        ? defaultKeyPolicy(key.account)
        : await acceptKeyPolicy(
            input.Policy,
            key,
            input.BypassPolicyLockoutSafetyCheck === true,
            call,
          )
    const tenantKey = await services.tenantKeys.current(key.account)
    const material = createMaterial(tenantKey, key, 1, key.createdAt)
    const created: KeyRecord = { ...key, state: 'Enabled', current: material.materialId }
    await services.store.keys.create({
      key: created,
      policy: { document, rev: 1 },
      materials: [material],
    })
    services.keys.forget(created)
    return { KeyMetadata: keyMetadata(created) }
  },
  audit: {
    requestParameters: (input) => ({
      policy: input.Policy,
      description: input.Description,
      keyUsage: input.KeyUsage,
      keySpec: input.KeySpec,
      customerMasterKeySpec: input.CustomerMasterKeySpec,
      origin: input.Origin,
      multiRegion: input.MultiRegion,
      bypassPolicyLockoutSafetyCheck: input.BypassPolicyLockoutSafetyCheck,
      tags: input.Tags?.map(({ TagKey, TagValue }) => ({ tagKey: TagKey, tagValue: TagValue })),
    }),
    responseElements: ({ KeyMetadata }) => ({ keyMetadata: auditedMetadata(KeyMetadata) }),
  },
}

/** Everything of a new key but its state and material. */
const newKey = (input: CreateKeyRequest, { caller, region, services }: Call) =>
  ({
    account: caller.account,
    region,
    keyId: newKeyId(input.MultiRegion === true),
    createdAt: services.clock.now(),
    description: input.Description ?? '',
    keySpec: 'SYMMETRIC_DEFAULT',
    keyUsage: 'ENCRYPT_DECRYPT',
    origin: 'AWS_KMS',
    manager: 'CUSTOMER',
    multiRegion: input.MultiRegion === true,
    tags: withTags([], input.Tags ?? []),
    stateEpoch: 1,
    rev: 1,
  }) as const

/** As CloudTrail shows it: lower camel case, dates as text. */
const auditedMetadata = (metadata: KeyMetadata): Readonly<Record<string, unknown>> => ({
  aWSAccountId: metadata.AWSAccountId,
  keyId: metadata.KeyId,
  arn: metadata.Arn,
  creationDate: metadata.CreationDate.toISOString(),
  enabled: metadata.Enabled,
  description: metadata.Description,
  keyUsage: metadata.KeyUsage,
  keyState: metadata.KeyState,
  origin: metadata.Origin,
  keyManager: metadata.KeyManager,
  customerMasterKeySpec: metadata.CustomerMasterKeySpec,
  keySpec: metadata.KeySpec,
  encryptionAlgorithms: metadata.EncryptionAlgorithms,
  multiRegion: metadata.MultiRegion,
})

export const handler = jsonHandler(createKey)
