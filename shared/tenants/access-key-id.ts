/** Ids as IAM makes them: four letters for what it is, then 16 characters of base32 (RFC 4648 §6). */
import { createHash } from 'node:crypto'
import { freshBytes } from '../crypto/random.ts'
import {
  type AccessKeyId,
  type AccountId,
  type PrincipalId,
  parseAccessKeyId,
  principalIdOf,
} from '../ids.ts'

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
const LENGTH = 16

/** @returns a new id for long-term credentials: `AKIA…`, 80 random bits */
export const newAccessKeyId = (): AccessKeyId => accessKeyIdOf(freshBytes(LENGTH))

/** @returns a new id for temporary credentials: `ASIA…`, 80 random bits */
export const newTemporaryAccessKeyId = (): AccessKeyId => temporaryIdOf(freshBytes(LENGTH))

/**
 * @returns the same id for the same text, always: what stands in records for a bearer token, which
 *   has no access key
 */
export const bearerAccessKeyIdOf = (token: string): AccessKeyId =>
  temporaryIdOf(createHash('sha256').update(`bearer token ${token}`).digest())

/** @returns the access key id; `null` when the text has not the form of one, or that of a temporary one */
export const parseLongTermAccessKeyId = (text: string): AccessKeyId | null =>
  isTemporary(text) ? null : parseAccessKeyId(text)

/** Whether an access key id has the form of one for temporary credentials. */
export const isTemporary = (accessKeyId: string): boolean => accessKeyId.startsWith('ASIA')

/** @returns a new id of a role: `AROA…`, 80 random bits */
export const newRoleId = (): PrincipalId => principalIdOf(`AROA${base32(freshBytes(LENGTH))}`)

/** @returns a new id of a managed policy: `ANPA…`, 80 random bits */
export const newPolicyId = (): string => `ANPA${base32(freshBytes(LENGTH))}`

/** @returns a new id of a user: `AIDA…`, 80 random bits */
export const newPrincipalId = (): PrincipalId => principalIdOf(`AIDA${base32(freshBytes(LENGTH))}`)

/** @returns the same id for the same user, always: of users whom a seed names */
export const seededPrincipalId = (account: AccountId, name: string): PrincipalId => {
  const bytes = createHash('sha256').update(`seeded user ${account}/${name}`).digest()
  return principalIdOf(`AIDA${base32(bytes)}`)
}

/** @returns the same id for the same principal, always: the id of the access key that it is set up with */
export const firstAccessKeyIdOf = (principalId: PrincipalId): AccessKeyId =>
  accessKeyIdOf(createHash('sha256').update(`first access key of ${principalId}`).digest())

const accessKeyIdOf = (bytes: Uint8Array): AccessKeyId => idOf('AKIA', bytes)
const temporaryIdOf = (bytes: Uint8Array): AccessKeyId => idOf('ASIA', bytes)

function idOf(prefix: 'AKIA' | 'ASIA', bytes: Uint8Array): AccessKeyId {
  const id = parseAccessKeyId(`${prefix}${base32(bytes)}`)
  if (id === null) throw new TypeError('Not the form of an access key id.')
  return id
}

/** 16 characters, five bits of each byte. */
const base32 = (bytes: Uint8Array): string =>
  Array.from(bytes.subarray(0, LENGTH), (byte) => BASE32.charAt(byte & 31)).join('')
