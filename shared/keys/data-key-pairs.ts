/** Key pairs that are made for callers and kept by nobody (AWS KMS API reference, "GenerateDataKeyPair"). */
import { createPublicKey } from 'node:crypto'
import { JsonError } from '../errors.ts'
import { type KeySpec, keySpec } from './key-specs.ts'

export interface DataKeyPair {
  /** PKCS#8 in DER, for the caller to wipe. */
  readonly privateKey: Buffer
  /** SubjectPublicKeyInfo in DER. */
  readonly publicKey: Buffer
}

/** @throws JsonError UnsupportedOperationException for a spec of which nothing is made here */
export function requireOfferedPair(spec: KeySpec): void {
  if (!keySpec(spec).offered) throw new JsonError('UnsupportedOperationException')
}

/** @param spec - of an asymmetric key (`requireOfferedPair`) */
export async function newDataKeyPair(spec: KeySpec): Promise<DataKeyPair> {
  const { generate, open } = keySpec(spec)
  const privateKey = await generate()
  const publicKey = createPublicKey(open(privateKey)).export({ format: 'der', type: 'spki' })
  return { privateKey, publicKey }
}
