import { unwrapMaterialForImport } from '../../shared/crypto/import-wrapping.ts'
import { JsonError } from '../../shared/errors.ts'
import { importMaterial } from '../../shared/keys/import-material.ts'
import { DEFAULT_EXPIRATION_MODEL, requireImportOrder } from '../../shared/keys/import-request.ts'
import { type ImportParameters, openImportToken } from '../../shared/keys/import-token.ts'
import { keySpec } from '../../shared/keys/key-specs.ts'
import { materialImportable } from '../../shared/keys/key-states.ts'
import { requireExternalOrigin } from '../../shared/keys/material-origin.ts'
import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import { readKey } from '../../shared/pipeline/key-use.ts'
import {
  encryptedKeyMaterial,
  importToken,
  keyIdentifier,
  keyMaterialDescription,
  keyMaterialId,
} from '../../shared/pipeline/kms-members.ts'
import type { Operation, Services } from '../../shared/pipeline/operation.ts'
import { type Input, oneOf, required, structure, timestamp } from '../../shared/pipeline/shape.ts'
import type { KeyRecord } from '../../shared/store/records.ts'

const request = structure({
  KeyId: required(keyIdentifier),
  ImportToken: required(importToken),
  EncryptedKeyMaterial: required(encryptedKeyMaterial),
  ValidTo: timestamp,
  ExpirationModel: oneOf(['KEY_MATERIAL_EXPIRES', 'KEY_MATERIAL_DOES_NOT_EXPIRE']),
  ImportType: oneOf(['NEW_KEY_MATERIAL', 'EXISTING_KEY_MATERIAL']),
  KeyMaterialDescription: keyMaterialDescription,
  KeyMaterialId: keyMaterialId,
})
type ImportKeyMaterialRequest = Input<typeof request>

export interface ImportKeyMaterialResponse {
  readonly KeyId: string
  readonly KeyMaterialId?: string
}

/**
 * Material from elsewhere becomes that of a key without, comes back to a key that lost it, or waits to
 * be rotated to.
 */
export const importKeyMaterial: Operation<
  ImportKeyMaterialRequest,
  ImportKeyMaterialResponse,
  'key'
> = {
  service: 'kms',
  name: 'ImportKeyMaterial',
  input: request,
  readOnly: false,
  keys: ({ KeyId }) => ({
    key: { ...readKey(KeyId, 'kms:ImportKeyMaterial'), states: materialImportable },
  }),
  conditions: ({ ExpirationModel = DEFAULT_EXPIRATION_MODEL, ValidTo }) => ({
    others: {
      'kms:expirationmodel': ExpirationModel,
      ...(ValidTo === undefined ? {} : { 'kms:validto': ValidTo.toISOString() }),
    },
  }),
  check: (_input, { key }) => requireExternalOrigin(key),
  async run(input, { key }, { services }) {
    const order = requireImportOrder(input, key.bundle, services.clock.now())
    const parameters = await requireParameters(input, key.key, services)
    const bytes = requireMaterial(input, parameters, key.key)
    try {
      const materialId = await importMaterial(key, order, bytes, services)
      const isShown = keySpec(key.key.keySpec).family === 'symmetric'
      return { KeyId: key.arn, ...(isShown ? { KeyMaterialId: materialId } : {}) }
    } finally {
      bytes.fill(0)
    }
  },
  audit: {
    requestParameters: (input) => ({
      keyId: input.KeyId,
      validTo: input.ValidTo?.toISOString(),
      expirationModel: input.ExpirationModel ?? DEFAULT_EXPIRATION_MODEL,
      importType: input.ImportType,
      keyMaterialDescription: input.KeyMaterialDescription,
      keyMaterialId: input.KeyMaterialId,
    }),
    responseElements: ({ KeyId, KeyMaterialId }) => ({
      keyId: KeyId,
      keyMaterialId: KeyMaterialId,
    }),
  },
}

async function requireParameters(
  { ImportToken }: ImportKeyMaterialRequest,
  key: KeyRecord,
  { tenantKeys, clock }: Services,
): Promise<ImportParameters> {
  const parameters = await openImportToken(tenantKeys, key, ImportToken)
  if (parameters === null) throw new JsonError('InvalidImportTokenException')
  if (parameters.expiresAt <= clock.now()) throw new JsonError('ExpiredImportTokenException')
  return parameters
}

/** @returns the material as the key spec stores it */
function requireMaterial(
  { EncryptedKeyMaterial }: ImportKeyMaterialRequest,
  { importWrappingKey, wrapping }: ImportParameters,
  key: KeyRecord,
): Buffer {
  const given = unwrapMaterialForImport(importWrappingKey, wrapping, EncryptedKeyMaterial)
  const accepted = given && keySpec(key.keySpec).accept(given)
  given?.fill(0)
  if (accepted === null) throw new JsonError('InvalidCiphertextException')
  return accepted
}

export const handler = jsonHandler(importKeyMaterial)
