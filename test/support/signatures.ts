/** Keys, and changed signatures, to test signing with. */
import { createPublicKey, type KeyObject } from 'node:crypto'
import fc from 'fast-check'
import type { PrivateKeyForm } from '../../shared/crypto/private-keys.ts'
import { openPrivateKey } from '../../shared/crypto/private-keys.ts'
import { hex } from './vectors.ts'

export interface KeyPair {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

/** A new pair of keys. */
export async function givenKeyPair(form: PrivateKeyForm): Promise<KeyPair> {
  const privateKey = openPrivateKey(await form.generate())
  return { privateKey, publicKey: createPublicKey(privateKey) }
}

/** @param spki - hexadecimal DER */
export const publicKeyOf = (spki: string): KeyObject =>
  createPublicKey({ key: hex(spki), format: 'der', type: 'spki' })

/** Other bytes than the given ones, most of them nearly the same: cut, longer, or with one bit turned. */
export const changed = (bytes: Buffer): fc.Arbitrary<Buffer> =>
  fc
    .oneof(
      fc.nat(bytes.length * 8 - 1).map((bit) => {
        const turned = Buffer.from(bytes)
        turned[bit >> 3] = (turned[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        return turned
      }),
      fc.nat(bytes.length - 1).map((length) => Buffer.from(bytes.subarray(0, length))),
      fc.uint8Array({ minLength: 1, maxLength: 8 }).map((more) => Buffer.concat([bytes, more])),
      fc.uint8Array({ minLength: 1, maxLength: 8 }).map((more) => Buffer.concat([more, bytes])),
      fc.uint8Array({ minLength: 1, maxLength: 6144 }).map((other) => Buffer.from(other)),
    )
    .filter((other) => !other.equals(bytes))
