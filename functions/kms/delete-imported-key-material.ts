import { deleteImportedMaterial } from '../../shared/keys/delete-imported-material.ts'
import { refuseOnNonSymmetric } from '../../shared/keys/import-request.ts'
import { keySpec } from '../../shared/keys/key-specs.ts'
import { materialDeletable } from '../../shared/keys/key-states.ts'
import { requireExternalOrigin } from '../../shared/keys/material-origin.ts'
import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import { readKey } from '../../shared/pipeline/key-use.ts'
import { keyIdentifier, keyMaterialId } from '../../shared/pipeline/kms-members.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'
import { type Input, required, structure } from '../../shared/pipeline/shape.ts'

const request = structure({ KeyId: required(keyIdentifier), KeyMaterialId: keyMaterialId })

export interface DeleteImportedKeyMaterialResponse {
  readonly KeyId: string
  readonly KeyMaterialId?: string
}

/** Deletes imported material at once; what was encrypted under it opens again when it is imported again. */
export const deleteImportedKeyMaterial: Operation<
  Input<typeof request>,
  DeleteImportedKeyMaterialResponse,
  'key'
> = {
  service: 'kms',
  name: 'DeleteImportedKeyMaterial',
  input: request,
  readOnly: false,
  keys: ({ KeyId }) => ({
    key: { ...readKey(KeyId, 'kms:DeleteImportedKeyMaterial'), states: materialDeletable },
  }),
  check: (_input, { key }) => requireExternalOrigin(key),
  async run(input, { key }, { services }) {
    refuseOnNonSymmetric(input, key.bundle)
    const materialId = await deleteImportedMaterial(key, input.KeyMaterialId ?? null, services)
    const isShown = materialId !== null && keySpec(key.key.keySpec).family === 'symmetric'
    return { KeyId: key.arn, ...(isShown ? { KeyMaterialId: materialId } : {}) }
  },
  audit: {
    requestParameters: ({ KeyId, KeyMaterialId }) => ({
      keyId: KeyId,
      keyMaterialId: KeyMaterialId,
    }),
    responseElements: ({ KeyId, KeyMaterialId }) => ({
      keyId: KeyId,
      keyMaterialId: KeyMaterialId,
    }),
  },
}

export const handler = jsonHandler(deleteImportedKeyMaterial)
