/** The usual ways in which an operation uses one key. */
import { changeable, cryptographic, readable } from '../keys/key-states.ts'
import type { KeyUsage } from '../store/records.ts'
import type { KeyUse } from './operation.ts'

/** A key that is made for one usage; any of the four identifiers, callers of other accounts, cached reads. */
export const cryptographicKey = (identifier: string, action: string, usage: KeyUsage): KeyUse => ({
  name: { by: 'identifier', text: identifier, aliases: true },
  action,
  usage,
  states: cryptographic,
  cached: true,
})

/** A key that encrypts or decrypts. */
export const encryptionKey = (identifier: string, action: string): KeyUse =>
  cryptographicKey(identifier, action, 'ENCRYPT_DECRYPT')

/** A key whose settings are read: by key id or key ARN, in any state. */
export const readKey = (identifier: string, action: string): KeyUse => ({
  name: { by: 'identifier', text: identifier, aliases: false },
  action,
  states: readable,
})

/** A key whose settings are changed: by key id or key ARN, unless it waits for deletion. */
export const changedKey = (identifier: string, action: string): KeyUse => ({
  ...readKey(identifier, action),
  states: changeable,
})
