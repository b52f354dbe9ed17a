/** Data keys: fresh random bytes and their ciphertext under a key, for both GenerateDataKey operations. */

import { freshBytes } from '../crypto/random.ts'
import { JsonError } from '../errors.ts'
import type { MaterialId } from '../ids.ts'
import type { FoundKey } from '../keys/keys.ts'
import { encryptUnder, SYMMETRIC_ALGORITHM } from '../keys/symmetric.ts'
import type { Call, RequestConditions } from './operation.ts'

export interface DataKeyRequest {
  readonly KeyId: string
  readonly EncryptionContext?: Readonly<Record<string, string>>
  readonly NumberOfBytes?: number
  readonly KeySpec?: 'AES_128' | 'AES_256'
}

const LENGTHS = { AES_128: 16, AES_256: 32 } as const

/** @throws JsonError ValidationException unless exactly one of KeySpec and NumberOfBytes is given */
export function requireDataKeySize({ KeySpec, NumberOfBytes }: DataKeyRequest): void {
  if ((KeySpec === undefined) === (NumberOfBytes === undefined)) {
    throw new JsonError('ValidationException', 'Please specify either number of bytes or key spec.')
  }
}

/** @returns the data key, for the caller to wipe, and its ciphertext blob */
export async function generateDataKey(
  { EncryptionContext = {}, NumberOfBytes, KeySpec }: DataKeyRequest,
  key: FoundKey,
  { services }: Call,
): Promise<{ readonly dataKey: Buffer; readonly blob: Buffer; readonly materialId: MaterialId }> {
  const dataKey = freshBytes(NumberOfBytes ?? LENGTHS[KeySpec ?? 'AES_256'])
  return { dataKey, ...(await encryptUnder(key, dataKey, EncryptionContext, services.material)) }
}

export const dataKeyConditions = ({
  EncryptionContext = {},
}: DataKeyRequest): RequestConditions => ({
  encryptionContext: EncryptionContext,
  encryptionAlgorithm: SYMMETRIC_ALGORITHM,
})

export const dataKeyParameters = (input: DataKeyRequest): Readonly<Record<string, unknown>> => ({
  keyId: input.KeyId,
  encryptionContext: input.EncryptionContext,
  keySpec: input.KeySpec,
  numberOfBytes: input.NumberOfBytes,
})
