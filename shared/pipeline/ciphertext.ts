/**
 * What Decrypt and ReEncrypt have in common: a ciphertext that names its key, with or without a key
 * named beside it, or the block of an asymmetric algorithm, which names none. A ciphertext that names
 * its key is read before the named key is looked at; a named key that is not the one in the
 * ciphertext is told apart only from somebody who may use the named one.
 */
import { type ParsedCiphertextBlob, parseCiphertextBlob } from '../crypto/ciphertext-blob.ts'
import { JsonError } from '../errors.ts'
import type { Ciphertext } from '../keys/encryption.ts'
import type { FoundKey } from '../keys/keys.ts'
import { SYMMETRIC_ALGORITHM } from '../keys/symmetric.ts'
import { dryRunSucceeded } from './dry-run.ts'
import { incorrectKey } from './incorrect-key.ts'
import { encryptionKey } from './key-use.ts'
import type { KeyName, KeyUse } from './operation.ts'

export interface CiphertextSource {
  readonly ciphertext: Buffer | undefined
  readonly keyId: string | undefined
  readonly algorithm: string
  readonly dryRun: boolean
  readonly modifiers: readonly string[]
}

/**
 * @returns how the ciphertext's key is to be used: the one that is named, or the one in the blob
 * @throws JsonError ValidationException, or InvalidCiphertextException for a blob that is not ours
 */
export function sourceKey(source: CiphertextSource, action: string): KeyUse {
  requireModifiersFit(source)
  if (ignoresCiphertext(source)) return encryptionKey(source.keyId ?? '', action)
  const { ciphertext, keyId, algorithm } = source
  if (ciphertext === undefined) {
    throw new JsonError(
      'ValidationException',
      "1 validation error detected: Value null at 'ciphertextBlob' failed to satisfy constraint: Member must not be null",
    )
  }
  if (algorithm !== SYMMETRIC_ALGORITHM) {
    if (keyId === undefined) throw new JsonError('ValidationException', 'KeyId must not be null')
    return encryptionKey(keyId, action)
  }
  const { account, keyId: embedded } = parse(ciphertext)
  const ciphertextKey = { account, keyId: embedded }
  const name: KeyName =
    keyId === undefined
      ? { by: 'address', ...ciphertextKey }
      : { by: 'identifier', text: keyId, aliases: true, ciphertextKey }
  return { ...encryptionKey('', action), name }
}

/** @throws JsonError IncorrectKeyException when the named key is not the one that made the ciphertext */
export function requireKeyOfCiphertext(source: CiphertextSource, { key }: FoundKey): void {
  if (source.ciphertext === undefined || source.algorithm !== SYMMETRIC_ALGORITHM) return
  if (ignoresCiphertext(source)) return
  const { account, keyId } = parse(source.ciphertext)
  if (account !== key.account || keyId !== key.keyId) throw incorrectKey()
}

/**
 * @returns the ciphertext: a blob that names the found key, or the block of an asymmetric algorithm
 * @throws JsonError DryRunOperationException when only the permission was to be tried
 */
export function readCiphertext(source: CiphertextSource): Ciphertext {
  const { ciphertext, algorithm } = source
  if (ignoresCiphertext(source) || ciphertext === undefined) throw dryRunSucceeded()
  if (algorithm !== SYMMETRIC_ALGORITHM) return { block: ciphertext, algorithm }
  return { blob: parse(ciphertext) }
}

const ignoresCiphertext = ({ modifiers }: CiphertextSource): boolean =>
  modifiers.includes('IGNORE_CIPHERTEXT')

function requireModifiersFit({ modifiers, dryRun, keyId }: CiphertextSource): void {
  if (modifiers.length === 0) return
  if (!dryRun) {
    throw new JsonError(
      'ValidationException',
      'DryRunModifiers can only be specified when DryRun is true',
    )
  }
  if (keyId === undefined) throw new JsonError('ValidationException', 'KeyId must not be null')
}

/** Each step of a call reads the ciphertext; it is parsed at the first. */
const parsed = new WeakMap<Buffer, ParsedCiphertextBlob>()

function parse(ciphertext: Buffer): ParsedCiphertextBlob {
  const blob = parsed.get(ciphertext) ?? parseCiphertextBlob(ciphertext)
  if (blob === null) throw new JsonError('InvalidCiphertextException')
  parsed.set(ciphertext, blob)
  return blob
}
