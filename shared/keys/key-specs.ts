/**
 * Which keys can be made, and what AWS answers for the others (AWS KMS Developer Guide, "Key spec
 * reference"). A spec is one entry here.
 */
import { JsonError } from '../errors.ts'

interface KeySpecEntry {
  readonly usages: readonly string[]
  /** Whether keys of this spec can be made here. */
  readonly supported: boolean
}

const rsa: KeySpecEntry = { usages: ['ENCRYPT_DECRYPT', 'SIGN_VERIFY'], supported: false }
const ecc: KeySpecEntry = { usages: ['SIGN_VERIFY', 'KEY_AGREEMENT'], supported: false }
const signing: KeySpecEntry = { usages: ['SIGN_VERIFY'], supported: false }
const encapsulating: KeySpecEntry = { usages: ['ENCAPSULATE_DECAPSULATE'], supported: false }
const hmac: KeySpecEntry = { usages: ['GENERATE_VERIFY_MAC'], supported: false }

const entries: ReadonlyMap<string, KeySpecEntry> = new Map([
  ['SYMMETRIC_DEFAULT', { usages: ['ENCRYPT_DECRYPT'], supported: true }],
  ['RSA_2048', rsa],
  ['RSA_3072', rsa],
  ['RSA_4096', rsa],
  ['ECC_NIST_P256', ecc],
  ['ECC_NIST_P384', ecc],
  ['ECC_NIST_P521', ecc],
  ['ECC_SECG_P256K1', signing],
  ['ECC_NIST_EDWARDS25519', signing],
  ['HMAC_224', hmac],
  ['HMAC_256', hmac],
  ['HMAC_384', hmac],
  ['HMAC_512', hmac],
  ['SM2', { usages: ['ENCRYPT_DECRYPT', 'SIGN_VERIFY', 'KEY_AGREEMENT'], supported: false }],
  ['ML_DSA_44', signing],
  ['ML_DSA_65', signing],
  ['ML_DSA_87', signing],
  ['ML_KEM_512', encapsulating],
  ['ML_KEM_768', encapsulating],
  ['ML_KEM_1024', encapsulating],
])

export interface KeyDescription {
  readonly KeySpec?: string
  readonly CustomerMasterKeySpec?: string
  readonly KeyUsage?: string
  readonly Origin?: string
  readonly CustomKeyStoreId?: string
  readonly XksKeyId?: string
}

/**
 * @throws JsonError ValidationException for members that do not go together,
 *   UnsupportedOperationException for a key that cannot be made here,
 *   CustomKeyStoreNotFoundException, as there are no custom key stores
 */
export function requireSupportedKey(description: KeyDescription): void {
  const { KeySpec, CustomerMasterKeySpec, KeyUsage } = description
  if (KeySpec !== undefined && CustomerMasterKeySpec !== undefined) {
    throw new JsonError(
      'ValidationException',
      'You cannot specify KeySpec and CustomerMasterKeySpec in the same request. CustomerMasterKeySpec is deprecated.',
    )
  }
  const spec = KeySpec ?? CustomerMasterKeySpec ?? 'SYMMETRIC_DEFAULT'
  if (spec !== 'SYMMETRIC_DEFAULT' && KeyUsage === undefined) {
    throw new JsonError(
      'ValidationException',
      'You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.',
    )
  }
  const entry = entries.get(spec)
  if (KeyUsage !== undefined && entry?.usages.includes(KeyUsage) !== true) {
    throw new JsonError(
      'ValidationException',
      `KeyUsage ${KeyUsage} is not compatible with KeySpec ${spec}`,
    )
  }
  if (description.CustomKeyStoreId !== undefined) {
    throw new JsonError('CustomKeyStoreNotFoundException')
  }
  if (entry?.supported !== true || !isMadeHere(description)) {
    throw new JsonError('UnsupportedOperationException')
  }
}

/** Keys whose material comes from elsewhere are not made here. */
const isMadeHere = ({ Origin = 'AWS_KMS', XksKeyId }: KeyDescription): boolean =>
  Origin === 'AWS_KMS' && XksKeyId === undefined
