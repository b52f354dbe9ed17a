import { defaultKeyPolicy } from '../../shared/authz/default-key-policy.ts'
import { createKey as makeKey } from '../../shared/keys/key-creation.ts'
import { newKeyId } from '../../shared/keys/key-id.ts'
import { type KeyMetadata, keyMetadata } from '../../shared/keys/key-metadata.ts'
import { requireSupportedKey } from '../../shared/keys/key-specs.ts'
import { createKeyInStore } from '../../shared/keys/key-store-use.ts'
import { requireOwnTags, withTags } from '../../shared/keys/tags.ts'
import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import { acceptKeyPolicy } from '../../shared/pipeline/key-policy.ts'
import { keyStoreScope } from '../../shared/pipeline/key-store-scope.ts'
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
import { auditedMetadata, auditedTags } from './audited-metadata.ts'

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

/** A new key: with its first material and enabled, or waiting for material to be imported. A repeated call makes another key. */
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
      'kms:multiregionkeytype': input.MultiRegion === true ? 'PRIMARY' : undefined,
      'kms:bypasspolicylockoutsafetycheck': String(input.BypassPolicyLockoutSafetyCheck === true),
    },
  }),
  async run(input, _keys, call) {
    if (input.CustomKeyStoreId !== undefined) {
      return await createKeyInStore(keyStoreScope(call), input.CustomKeyStoreId, input)
    }
    const plan = planKey(input, call)
    const document =
      input.Policy === undefined
        ? defaultKeyPolicy(plan.account)
        : await acceptKeyPolicy(
            input.Policy,
            plan,
            input.BypassPolicyLockoutSafetyCheck === true,
            call,
          )
    const created = await makeKey({ ...plan, policy: document }, call.services)
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
      customKeyStoreId: input.CustomKeyStoreId,
      xksKeyId: input.XksKeyId,
      multiRegion: input.MultiRegion,
      bypassPolicyLockoutSafetyCheck: input.BypassPolicyLockoutSafetyCheck,
      tags: auditedTags(input.Tags),
    }),
    responseElements: ({ KeyMetadata }) => ({ keyMetadata: auditedMetadata(KeyMetadata) }),
  },
}

/** @throws JsonError for a key that cannot be */
function planKey(input: CreateKeyRequest, { caller, region }: Call) {
  const kind = requireSupportedKey(input)
  requireOwnTags(input.Tags ?? [])
  return {
    account: caller.account,
    region,
    keyId: newKeyId(input.MultiRegion === true),
    description: input.Description ?? '',
    ...kind,
    manager: 'CUSTOMER',
    multiRegion: input.MultiRegion === true,
    tags: withTags([], input.Tags ?? []),
  } as const
}

export const handler = jsonHandler(createKey)
