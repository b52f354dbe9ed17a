import { randomBytes, randomUUID } from 'node:crypto'
import { type KeyId, parseKeyId } from '../ids.ts'

/** @returns a new random key id, of the form that multi-Region keys have when it is one */
export function newKeyId(multiRegion: boolean): KeyId {
  const keyId = parseKeyId(multiRegion ? `mrk-${randomBytes(16).toString('hex')}` : randomUUID())
  if (keyId === null) throw new Error('A generated key id has the wrong form.')
  return keyId
}
