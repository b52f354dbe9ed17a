/**
 * Private keys of elliptic curves: RFC 5915 in PKCS#8, with the curve named both times and with the
 * public point, which is how AWS KMS writes them.
 *
 * ```
 * SEQUENCE { 0, SEQUENCE { ecPublicKey, curve }, OCTET STRING {
 *   SEQUENCE { 1, OCTET STRING scalar, [0] { curve }, [1] { BIT STRING 04 x y } } } }
 * ```
 */
import { createECDH, type KeyObject } from 'node:crypto'
import {
  BIT_STRING,
  CONTEXT_0,
  CONTEXT_1,
  element,
  header,
  OBJECT_IDENTIFIER,
  OCTET_STRING,
  readElement,
  SEQUENCE,
} from './der.ts'
import { type PrivateKeyForm, readBerPrivateKey } from './private-keys.ts'

/** By the name that Node has for the curve: its object identifier (SEC 2, appendix A.2) and the bytes of a scalar. */
const curves = {
  prime256v1: { oid: '2a8648ce3d030107', size: 32 },
  secp384r1: { oid: '2b81040022', size: 48 },
  secp521r1: { oid: '2b81040023', size: 66 },
  secp256k1: { oid: '2b8104000a', size: 32 },
} as const
export type CurveName = keyof typeof curves

const EC_PUBLIC_KEY = '2a8648ce3d0201'

export const ecKeys = (curve: CurveName): PrivateKeyForm => ({
  async generate() {
    const pair = createECDH(curve)
    pair.generateKeys()
    return encodePair(curve, pair.getPrivateKey(), pair.getPublicKey())
  },
  accept(bytes) {
    const key = readBerPrivateKey(bytes)
    if (key?.asymmetricKeyType !== 'ec' || key.asymmetricKeyDetails?.namedCurve !== curve) {
      return null
    }
    let scalar: Buffer | null = null
    try {
      scalar = scalarOf(key) // OpenSSL reads some numbers that it then refuses to write
      const pair = createECDH(curve)
      pair.setPrivateKey(scalar) // the public point is calculated, never taken from outside
      return encodePair(curve, scalar, pair.getPublicKey())
    } catch {
      return null
    } finally {
      scalar?.fill(0)
    }
  },
})

/**
 * ECPrivateKey { version, OCTET STRING scalar, … } (RFC 5915, section 3).
 * @returns the private number, big-endian, as long as the curve's order, for the caller to wipe
 */
export function scalarOf(privateKey: KeyObject): Buffer {
  const sec1 = privateKey.export({ type: 'sec1', format: 'der' })
  const whole = readElement(sec1, 0)
  const version = whole && readElement(sec1, whole.start)
  const scalar = version && readElement(sec1, version.end)
  if (scalar?.tag !== OCTET_STRING) throw new RangeError('Not an elliptic-curve private key.')
  const own = Buffer.from(sec1.subarray(scalar.start, scalar.end))
  sec1.fill(0)
  return own
}

/** @throws TypeError for a key of no curve, or of another one */
export function curveOf(key: KeyObject): CurveName {
  const name = key.asymmetricKeyDetails?.namedCurve ?? ''
  if (!Object.hasOwn(curves, name)) throw new TypeError('A key of no known elliptic curve.')
  return name as CurveName
}

/** @returns the public point, uncompressed: `04 x y`, which is what an SPKI ends with (RFC 5480, section 2.2) */
export function pointOf(publicKey: KeyObject): Buffer {
  const { size } = curves[curveOf(publicKey)]
  return publicKey.export({ type: 'spki', format: 'der' }).subarray(-(1 + 2 * size))
}

/** @param scalar - may be short of leading zeros; overwritten once it is encoded */
function encodePair(curve: CurveName, scalar: Buffer, point: Buffer): Buffer {
  const { oid, size } = curves[curve]
  const named = element(OBJECT_IDENTIFIER, Buffer.from(oid, 'hex'))
  const ecPublicKey = element(OBJECT_IDENTIFIER, Buffer.from(EC_PUBLIC_KEY, 'hex'))
  const algorithm = element(SEQUENCE, ecPublicKey, named)
  const publicPart = [
    element(CONTEXT_0, named),
    element(CONTEXT_1, element(BIT_STRING, Buffer.of(0), point)),
  ]
  const inner = [integer(1), header(OCTET_STRING, size), Buffer.alloc(size - scalar.length), scalar]
  const innerLength = lengthOf([...inner, ...publicPart])
  const innerHeader = header(SEQUENCE, innerLength)
  const outer = [
    integer(0),
    algorithm,
    header(OCTET_STRING, innerHeader.length + innerLength),
    innerHeader,
    ...inner,
    ...publicPart,
  ]
  const encoded = Buffer.concat([header(SEQUENCE, lengthOf(outer)), ...outer])
  scalar.fill(0)
  return encoded
}

const integer = (value: number): Buffer => Buffer.of(0x02, 1, value)

const lengthOf = (parts: readonly Buffer[]): number =>
  parts.reduce((sum, part) => sum + part.length, 0)
