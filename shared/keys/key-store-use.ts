/** Keys and random bytes of custom key stores (AWS KMS API reference, "CreateKey" and "GenerateRandom"). */
import { JsonError } from '../errors.ts'
import type { KeyStoreDefinition } from '../store/records.ts'
import { type KeyStoreScope, requireConnectedStore, requireStore } from './custom-key-stores.ts'
import { type KeyDescription, requireSpecAndUsage } from './key-specs.ts'

/** What CreateKey says of a key that is to be in a custom key store. */
export interface StoreKeyDescription extends KeyDescription {
  readonly MultiRegion?: boolean
}

/**
 * Makes a key in a custom key store: a symmetric one of a single Region, whose origin is the store's
 * type.
 * @throws JsonError ValidationException or UnsupportedOperationException for any other key,
 *   CustomKeyStoreNotFoundException, CustomKeyStoreInvalidStateException, and what the backend throws
 */
export async function createKeyInStore(
  scope: KeyStoreScope,
  id: string,
  description: StoreKeyDescription,
): Promise<never> {
  const { spec } = requireSpecAndUsage(description)
  const { definition } = await requireStore(scope, id)
  const fits = spec === 'SYMMETRIC_DEFAULT' && description.MultiRegion !== true
  if (!fits || description.Origin !== definition.type) {
    throw new JsonError('UnsupportedOperationException')
  }
  requireKeyId(description, definition.type)
  await requireConnectedStore(scope, id)
  return await scope.backend.createKey(definition)
}

function requireKeyId({ XksKeyId }: StoreKeyDescription, type: KeyStoreDefinition['type']): void {
  if ((XksKeyId !== undefined) === (type === 'EXTERNAL_KEY_STORE')) return
  throw new JsonError(
    'ValidationException',
    XksKeyId === undefined
      ? 'XksKeyId is required for a KMS key in an external key store.'
      : 'XksKeyId is valid only for a KMS key in an external key store.',
  )
}

/**
 * @returns random bytes of the cluster behind a store, for the caller to wipe
 * @throws JsonError UnsupportedOperationException for an external key store,
 *   CustomKeyStoreNotFoundException, CustomKeyStoreInvalidStateException, and what the backend throws
 */
export async function storeRandom(
  scope: KeyStoreScope,
  id: string,
  length: number,
): Promise<Buffer> {
  const { definition } = await requireStore(scope, id)
  if (definition.type !== 'AWS_CLOUDHSM') throw new JsonError('UnsupportedOperationException')
  await requireConnectedStore(scope, id)
  return await scope.backend.random(definition, length)
}
