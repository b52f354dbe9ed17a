/**
 * The file of the software provider's root key: one line of text, so that it can be printed, put in
 * an envelope and typed in again.
 *
 *   keyhold-root-key-v1 software:<32 hex digits> <base64 of 32 bytes> <SHA-256 of what stands before, hex>
 *
 * The checksum finds damage and mistyping; against forgery only the file's permissions help.
 */
import { createSecretKey, hash, type KeyObject, timingSafeEqual } from 'node:crypto'
import { KEY_LENGTH } from '../crypto/aes-gcm.ts'
import { deriveBytes } from '../crypto/kdf.ts'

export const MAX_ROOT_KEY_FILE_LENGTH = 1024

const FORM =
  /^(?<content>keyhold-root-key-v1 (?<rootKeyId>software:[0-9a-f]{32}) (?<key>[A-Za-z0-9+/]{43}=) )(?<checksum>[0-9a-f]{64})\n?$/
const ID_LENGTH = 16
const noContext = Buffer.alloc(0)

/** A root key and the name that is stored beside what it sealed; the name does not reveal it. */
export interface SoftwareRootKey {
  readonly rootKeyId: string
  readonly key: KeyObject
}

/** @param bytes - 32 bytes of key; copied, so the caller wipes them */
export function softwareRootKey(bytes: Uint8Array): SoftwareRootKey {
  const key = createSecretKey(bytes)
  const id = deriveBytes(key, 'keyhold software root key id v1', noContext, ID_LENGTH)
  return { rootKeyId: `software:${id.toString('hex')}`, key }
}

/**
 * @param bytes - 32 bytes of key
 * @returns the file's content; the caller wipes it. (The text that it is made from stays in memory
 *   until it is collected: base64 in Node is a string.)
 */
export function encodeRootKeyFile(bytes: Buffer): Buffer {
  const { rootKeyId } = softwareRootKey(bytes)
  const content = `keyhold-root-key-v1 ${rootKeyId} ${bytes.toString('base64')} `
  return Buffer.from(`${content}${hash('sha256', content, 'hex')}\n`)
}

/** @returns the root key, or `null` when the content is not, in every byte, what `encodeRootKeyFile` gives */
export function parseRootKeyFile(file: Buffer): SoftwareRootKey | null {
  const { content, rootKeyId, key, checksum } = FORM.exec(file.toString('latin1'))?.groups ?? {}
  if (content === undefined || key === undefined || checksum === undefined) return null
  const expected = hash('sha256', content, 'buffer')
  if (!timingSafeEqual(expected, Buffer.from(checksum, 'hex'))) return null
  const bytes = Buffer.alloc(KEY_LENGTH)
  bytes.write(key, 'base64')
  const rootKey = softwareRootKey(bytes)
  bytes.fill(0)
  return rootKey.rootKeyId === rootKeyId ? rootKey : null
}
