/**
 * The key specs (AWS KMS Developer Guide, "Key spec reference"). One registry entry per spec; no
 * other file switches on a spec's name.
 */
import { createSecretKey, type KeyObject } from 'node:crypto'
import { type CurveName, ecKeys } from '../crypto/ec-keys.ts'
import { openPrivateKey, type PrivateKeyForm } from '../crypto/private-keys.ts'
import { freshBytes } from '../crypto/random.ts'
import { rsaKeys } from '../crypto/rsa-keys.ts'
import { seededKeys } from '../crypto/seeded-keys.ts'
import { JsonError } from '../errors.ts'
import type { KeyOrigin, KeySpec, KeyUsage } from '../store/records.ts'

export type { KeySpec }

export interface KeySpecEntry {
  readonly spec: KeySpec
  readonly family: 'symmetric' | 'hmac' | 'asymmetric'
  /** What a key of this spec can be made for; exactly one of them. */
  readonly usages: readonly KeyUsage[]
  /** What each usage can be done with, in the order in which AWS lists it. */
  readonly algorithms: Readonly<Partial<Record<KeyUsage, readonly string[]>>>
  /** Whether its material can come from elsewhere. */
  readonly importable: boolean
  /** Whether keys of this spec can be made here. */
  readonly offered: boolean
  /** RSA: bytes of the modulus. */
  readonly modulusBytes?: number
  /** Elliptic curves that sign or agree by ECDSA and ECDH: Node's name of the curve. */
  readonly curve?: CurveName
  readonly kem?: { readonly ciphertextBytes: number }
  /** Symmetric and HMAC keys: bytes that imported material may have. */
  readonly secretBytes?: { readonly min: number; readonly max: number }
  /** @returns new random material as it is stored: secret bytes, or PKCS#8 DER. For the caller to wipe. */
  generate(): Promise<Buffer>
  /** @returns the key that stored material is: a secret or a private one */
  open(material: Buffer): KeyObject
  /**
   * @param bytes - imported: secret bytes, or PKCS#8 DER of whatever origin
   * @returns what is to be stored, for the caller to wipe; `null` for anything but a key of this spec
   */
  accept(bytes: Uint8Array): Buffer | null
}

const SYMMETRIC_KEY_LENGTH = 32
/** Imported HMAC keys may be longer than generated ones, up to this (GetParametersForImport). */
const MAX_HMAC_KEY_LENGTH = 128

/** @param longest - bytes that an imported key may have */
const secretMaterial = (length: number, longest = length) => ({
  secretBytes: { min: length, max: longest },
  generate: async () => freshBytes(length),
  open: createSecretKey as (material: Buffer) => KeyObject,
  accept: (bytes: Uint8Array) =>
    bytes.length >= length && bytes.length <= longest ? Buffer.from(bytes) : null,
})

const hmac = (bits: 224 | 256 | 384 | 512): KeySpecEntry => ({
  spec: `HMAC_${bits}`,
  family: 'hmac',
  usages: ['GENERATE_VERIFY_MAC'],
  algorithms: { GENERATE_VERIFY_MAC: [`HMAC_SHA_${bits}`] },
  importable: true,
  offered: true,
  ...secretMaterial(bits / 8, MAX_HMAC_KEY_LENGTH),
})

/** What all specs with a private and a public key have in common. */
const keyPair = (
  algorithms: KeySpecEntry['algorithms'],
  form: PrivateKeyForm,
): Omit<KeySpecEntry, 'spec'> => ({
  family: 'asymmetric',
  usages: Object.keys(algorithms) as KeyUsage[],
  algorithms,
  importable: true,
  offered: true,
  generate: form.generate,
  open: openPrivateKey,
  accept: form.accept,
})

const rsa = (bits: 2048 | 3072 | 4096): KeySpecEntry => ({
  spec: `RSA_${bits}`,
  ...keyPair(
    {
      ENCRYPT_DECRYPT: ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256'],
      SIGN_VERIFY: [
        'RSASSA_PKCS1_V1_5_SHA_256',
        'RSASSA_PKCS1_V1_5_SHA_384',
        'RSASSA_PKCS1_V1_5_SHA_512',
        'RSASSA_PSS_SHA_256',
        'RSASSA_PSS_SHA_384',
        'RSASSA_PSS_SHA_512',
      ],
    },
    rsaKeys(bits),
  ),
  modulusBytes: bits / 8,
})

const nistCurve = (bits: 256 | 384 | 521, curve: CurveName, hashBits: number): KeySpecEntry => ({
  spec: `ECC_NIST_P${bits}`,
  ...keyPair({ SIGN_VERIFY: [`ECDSA_SHA_${hashBits}`], KEY_AGREEMENT: ['ECDH'] }, ecKeys(curve)),
  curve,
})

const koblitz: KeySpecEntry = {
  spec: 'ECC_SECG_P256K1',
  ...keyPair({ SIGN_VERIFY: ['ECDSA_SHA_256'] }, ecKeys('secp256k1')),
  curve: 'secp256k1',
}

const edwards: KeySpecEntry = {
  spec: 'ECC_NIST_EDWARDS25519',
  ...keyPair({ SIGN_VERIFY: ['ED25519_PH_SHA_512', 'ED25519_SHA_512'] }, seededKeys('ed25519')),
}

const mlDsa = (level: 44 | 65 | 87): KeySpecEntry => ({
  spec: `ML_DSA_${level}`,
  ...keyPair({ SIGN_VERIFY: ['ML_DSA_SHAKE_256'] }, seededKeys(`ml-dsa-${level}`)),
  importable: false,
})

const mlKem = (level: 512 | 768 | 1024, ciphertextBytes: number): KeySpecEntry => ({
  spec: `ML_KEM_${level}`,
  ...keyPair({ ENCAPSULATE_DECAPSULATE: ['ML_KEM'] }, seededKeys(`ml-kem-${level}`)),
  importable: false,
  kem: { ciphertextBytes },
})

/** AWS offers it in China only; it is known so that its name is told from a misspelt one. */
const sm2: KeySpecEntry = {
  spec: 'SM2',
  ...keyPair(
    { ENCRYPT_DECRYPT: ['SM2PKE'], SIGN_VERIFY: ['SM2DSA'], KEY_AGREEMENT: ['ECDH'] },
    {
      generate: () => Promise.reject(new Error('Keys of spec SM2 are not made here.')),
      accept: () => null,
    },
  ),
  offered: false,
}

const symmetric: KeySpecEntry = {
  spec: 'SYMMETRIC_DEFAULT',
  family: 'symmetric',
  usages: ['ENCRYPT_DECRYPT'],
  algorithms: { ENCRYPT_DECRYPT: ['SYMMETRIC_DEFAULT'] },
  importable: true,
  offered: true,
  ...secretMaterial(SYMMETRIC_KEY_LENGTH),
}

const entries: Readonly<Record<KeySpec, KeySpecEntry>> = {
  SYMMETRIC_DEFAULT: symmetric,
  RSA_2048: rsa(2048),
  RSA_3072: rsa(3072),
  RSA_4096: rsa(4096),
  ECC_NIST_P256: nistCurve(256, 'prime256v1', 256),
  ECC_NIST_P384: nistCurve(384, 'secp384r1', 384),
  ECC_NIST_P521: nistCurve(521, 'secp521r1', 512),
  ECC_SECG_P256K1: koblitz,
  ECC_NIST_EDWARDS25519: edwards,
  HMAC_224: hmac(224),
  HMAC_256: hmac(256),
  HMAC_384: hmac(384),
  HMAC_512: hmac(512),
  SM2: sm2,
  ML_DSA_44: mlDsa(44),
  ML_DSA_65: mlDsa(65),
  ML_DSA_87: mlDsa(87),
  ML_KEM_512: mlKem(512, 768),
  ML_KEM_768: mlKem(768, 1088),
  ML_KEM_1024: mlKem(1024, 1568),
}

export const keySpec = (spec: KeySpec): KeySpecEntry => entries[spec]

/**
 * @param algorithm - that a request names
 * @throws JsonError InvalidKeyUsageException unless keys of the spec can do it, made for the usage
 */
export function requireAlgorithm(spec: KeySpec, usage: KeyUsage, algorithm: string): void {
  if (entries[spec].algorithms[usage]?.includes(algorithm) === true) return
  throw new JsonError(
    'InvalidKeyUsageException',
    `Algorithm ${algorithm} is incompatible with key spec ${spec}.`,
  )
}

/** What a request says of a new key, as CreateKey has it. */
export interface KeyDescription {
  readonly KeySpec?: KeySpec
  readonly CustomerMasterKeySpec?: KeySpec
  readonly KeyUsage?: KeyUsage
  readonly Origin?: string
  readonly XksKeyId?: string
}

/** What a new key is to be, with the defaults filled in. */
export interface NewKey {
  readonly keySpec: KeySpec
  readonly keyUsage: KeyUsage
  readonly origin: KeyOrigin
}

/**
 * What CreateKey makes of its request (AWS KMS API reference, "CreateKey").
 * @throws JsonError ValidationException for members that do not go together,
 *   UnsupportedOperationException for a key that cannot be made here
 */
export function requireSupportedKey(description: KeyDescription): NewKey {
  const { spec, usage } = requireSpecAndUsage(description)
  const { Origin = 'AWS_KMS', XksKeyId } = description
  if (Origin === 'EXTERNAL' && !entries[spec].importable) {
    throw new JsonError(
      'ValidationException',
      `KeySpec ${spec} is not supported for Origin EXTERNAL`,
    )
  }
  const isOwnOrigin = Origin === 'AWS_KMS' || Origin === 'EXTERNAL'
  if (!entries[spec].offered || !isOwnOrigin || XksKeyId !== undefined) {
    throw new JsonError('UnsupportedOperationException')
  }
  return { keySpec: spec, keyUsage: usage, origin: Origin }
}

/** @throws JsonError ValidationException for members that do not go together */
export function requireSpecAndUsage(description: KeyDescription): {
  readonly spec: KeySpec
  readonly usage: KeyUsage
} {
  const spec = requireOneSpec(description)
  return { spec, usage: requireUsage(description, spec) }
}

function requireOneSpec({ KeySpec, CustomerMasterKeySpec }: KeyDescription): KeySpec {
  if (KeySpec !== undefined && CustomerMasterKeySpec !== undefined) {
    throw new JsonError(
      'ValidationException',
      'You cannot specify KeySpec and CustomerMasterKeySpec in the same request. CustomerMasterKeySpec is deprecated.',
    )
  }
  return KeySpec ?? CustomerMasterKeySpec ?? 'SYMMETRIC_DEFAULT'
}

function requireUsage({ KeyUsage }: KeyDescription, spec: KeySpec): KeyUsage {
  if (KeyUsage === undefined && spec !== 'SYMMETRIC_DEFAULT') {
    throw new JsonError(
      'ValidationException',
      'You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.',
    )
  }
  const usage = KeyUsage ?? 'ENCRYPT_DECRYPT'
  if (!entries[spec].usages.includes(usage)) {
    throw new JsonError(
      'ValidationException',
      `KeyUsage ${usage} is not compatible with KeySpec ${spec}`,
    )
  }
  return usage
}
