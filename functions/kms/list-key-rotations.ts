import { JsonError } from '../../shared/errors.ts'
import type { FoundKey } from '../../shared/keys/keys.ts'
import { isRotatable } from '../../shared/keys/rotation.ts'
import { type ListedRotation, listRotations } from '../../shared/keys/rotation-listing.ts'
import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import { readKey } from '../../shared/pipeline/key-use.ts'
import { keyIdentifier, limit, marker } from '../../shared/pipeline/kms-members.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'
import { type Listed, listPage } from '../../shared/pipeline/paging.ts'
import { type Input, oneOf, required, structure } from '../../shared/pipeline/shape.ts'
import type { Page } from '../../shared/store/records.ts'

const request = structure({
  KeyId: required(keyIdentifier),
  IncludeKeyMaterial: oneOf(['ALL_KEY_MATERIAL', 'ROTATIONS_ONLY']),
  Limit: limit,
  Marker: marker,
})
type ListKeyRotationsRequest = Input<typeof request>

export interface ListKeyRotationsResponse extends Listed {
  readonly Rotations: readonly ListedRotation[]
}

/** The rotations of a key that have happened, oldest first; or all its material. */
export const listKeyRotations: Operation<ListKeyRotationsRequest, ListKeyRotationsResponse, 'key'> =
  {
    service: 'kms',
    name: 'ListKeyRotations',
    input: request,
    readOnly: true,
    keys: ({ KeyId }) => ({ key: readKey(KeyId, 'kms:ListKeyRotations') }),
    check: (input, { key }) => requireMaterialShown(input, key),
    async run(input, { key }, call) {
      const { IncludeKeyMaterial = 'ROTATIONS_ONLY' } = input
      const { items, ...listed } = await listPage(
        call,
        {
          operation: 'ListKeyRotations',
          parameters: [key.arn, IncludeKeyMaterial],
          page: input,
          defaultLimit: 100,
          maxLimit: 1000,
        },
        async (size, after) => {
          const all = isRotatable(key.key)
            ? await listRotations(key, IncludeKeyMaterial === 'ALL_KEY_MATERIAL', call.services)
            : []
          return pageOf(all, size, after)
        },
      )
      return { Rotations: items, ...listed }
    },
    audit: {
      requestParameters: ({ KeyId, IncludeKeyMaterial, Limit }) => ({
        keyId: KeyId,
        includeKeyMaterial: IncludeKeyMaterial,
        limit: Limit,
      }),
    },
  }

function requireMaterialShown(
  { IncludeKeyMaterial }: ListKeyRotationsRequest,
  { key }: FoundKey,
): void {
  if (IncludeKeyMaterial === undefined || isRotatable(key)) return
  throw new JsonError(
    'ValidationException',
    'Input parameter includeKeyMaterial can only be used with symmetric keys.',
  )
}

/** @param after - the material id that the page before ended with */
function pageOf(
  all: readonly ListedRotation[],
  size: number,
  after: string | null,
): Page<ListedRotation> {
  const start = all.findIndex(({ KeyMaterialId }) => KeyMaterialId === after) + 1
  const items = all.slice(start, start + size)
  return { items, next: start + size < all.length ? (items.at(-1)?.KeyMaterialId ?? null) : null }
}

export const handler = jsonHandler(listKeyRotations)
