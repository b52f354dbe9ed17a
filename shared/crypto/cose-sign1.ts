/**
 * COSE_Sign1 with ES384 (RFC 9052, section 4.2; RFC 9053, section 2.1):
 *
 *   [ protected: bstr { 1: -35 }, unprotected: {}, payload: bstr, signature: bstr r ‖ s ]
 *
 * with or without its CBOR tag 18. What is signed is
 *
 *   [ "Signature1", protected, external AAD: empty, payload ]
 */
import { type KeyObject, verify } from 'node:crypto'
import { readCbor } from './cbor.ts'

export interface CoseSign1 {
  /** The encoded map, as it is signed. */
  readonly protectedHeader: Uint8Array
  readonly payload: Uint8Array
  /** 96 bytes. */
  readonly signature: Uint8Array
}

const TAG_18 = 0xd2
const ALGORITHM_LABEL = 1
const ES384 = -35
const SIGNATURE_LENGTH = 96
const ES384_CURVE = 'secp384r1'

/** @returns `null` for anything but a message that says it is signed with ES384, and nothing else */
export async function parseCoseSign1(bytes: Uint8Array): Promise<CoseSign1 | null> {
  const message = await readCbor(bytes[0] === TAG_18 ? bytes.subarray(1) : bytes)
  if (!Array.isArray(message) || message.length !== 4) return null
  const [protectedHeader, unprotectedHeader, payload, signature] = message as readonly unknown[]
  if (!isBytes(protectedHeader) || !isBytes(payload) || !isBytes(signature)) return null
  if (!(unprotectedHeader instanceof Map) || signature.length !== SIGNATURE_LENGTH) return null
  const header = await readCbor(protectedHeader)
  const saysEs384 =
    header instanceof Map && header.size === 1 && header.get(ALGORITHM_LABEL) === ES384
  return saysEs384 ? { protectedHeader, payload, signature } : null
}

/** @returns whether the key, which must be of the curve P-384, signed the message */
export function verifyCoseSign1(
  { protectedHeader, payload, signature }: CoseSign1,
  key: KeyObject,
): boolean {
  if (key.asymmetricKeyDetails?.namedCurve !== ES384_CURVE) return false
  const signed = Buffer.concat([
    Buffer.of(0x84, 0x6a),
    Buffer.from('Signature1'),
    ...byteString(protectedHeader),
    ...byteString(Buffer.alloc(0)),
    ...byteString(payload),
  ])
  return verify('sha384', signed, { key, dsaEncoding: 'ieee-p1363' }, signature)
}

/** Major type 2, the length in the shortest form (RFC 8949, section 3). */
function byteString(bytes: Uint8Array): readonly Uint8Array[] {
  const { length } = bytes
  const major = 0x40
  if (length < 24) return [Buffer.of(major | length), bytes]
  if (length < 0x100) return [Buffer.of(major | 24, length), bytes]
  const head = Buffer.of(major | 26, 0, 0, 0, 0)
  if (length >= 0x10000) {
    head.writeUInt32BE(length, 1)
    return [head, bytes]
  }
  return [Buffer.of(major | 25, length >> 8, length & 0xff), bytes]
}

const isBytes = (value: unknown): value is Uint8Array => value instanceof Uint8Array
