/**
 * Which wrapping algorithm and wrapping key go with which key spec when material is imported (AWS KMS
 * Developer Guide, "Select a wrapping algorithm" and "Wrapping key spec").
 */
import { IMPORT_WRAPPINGS, type ImportWrapping } from '../crypto/import-wrapping.ts'
import { JsonError } from '../errors.ts'
import type { KeySpec } from '../store/records.ts'
import { keySpec } from './key-specs.ts'

/** Bits of the RSA wrapping keys that are made here; SM2 is offered in China only. */
const MODULUS_BITS: ReadonlyMap<string, number> = new Map([
  ['RSA_2048', 2048],
  ['RSA_3072', 3072],
  ['RSA_4096', 4096],
])

/** Private keys that an OAEP block of RSA_2048 is too small for, or that AWS does not put into one. */
const TOO_LONG_FOR_RSA_2048: ReadonlySet<KeySpec> = new Set([
  'ECC_NIST_P521',
  'ECC_NIST_EDWARDS25519',
])

export interface ImportWrappingChoice {
  readonly wrapping: ImportWrapping
  /** Of the wrapping key's modulus. */
  readonly modulusBits: number
}

/**
 * @param algorithm - as in the request: also RSAES_PKCS1_V1_5, which AWS took out of service, and SM2PKE
 * @throws JsonError ValidationException when the two do not go with keys of the spec
 */
export function requireImportWrapping(
  spec: KeySpec,
  algorithm: string,
  wrappingKeySpec: string,
): ImportWrappingChoice {
  const wrapping = IMPORT_WRAPPINGS.find((known) => known === algorithm)
  const modulusBits = MODULUS_BITS.get(wrappingKeySpec)
  if (wrapping === undefined || modulusBits === undefined || !fits(spec, wrapping, modulusBits)) {
    throw new JsonError(
      'ValidationException',
      `Wrapping algorithm ${algorithm} and wrapping key spec ${wrappingKeySpec} cannot be used to import a ${spec} key.`,
    )
  }
  return { wrapping, modulusBits }
}

function fits(spec: KeySpec, wrapping: ImportWrapping, modulusBits: number): boolean {
  const { family, modulusBytes } = keySpec(spec)
  const wrapsTwice = wrapping.startsWith('RSA_AES_KEY_WRAP')
  if (family !== 'asymmetric') return !wrapsTwice
  if (wrapsTwice) return true
  return modulusBytes === undefined && !(modulusBits === 2048 && TOO_LONG_FOR_RSA_2048.has(spec))
}
