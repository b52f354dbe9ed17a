/**
 * What Keyhold asks of whatever holds the root key. It is asked once for each tenant key and
 * environment, never on the way of a request. All providers behave alike and pass one contract test.
 */
export interface Hsm {
  /** Names the root key that seals now, e.g. `software:4f…`; stored beside what it sealed. */
  readonly rootKeyId: string
  /**
   * Seals 32 bytes of key under the root key.
   * @param aad - authenticated, not stored; `open` needs the same bytes
   */
  seal(keyBytes: Uint8Array, aad: Uint8Array): Promise<Uint8Array>
  /**
   * @param rootKeyId - the root key that sealed it
   * @returns the key bytes, in a Buffer of their own; the caller wipes it
   * @throws SealBroken when the bytes, the AAD or the root key are not those of `seal`
   * @throws HsmUnavailable when the root key cannot be reached
   */
  open(rootKeyId: string, sealed: Uint8Array, aad: Uint8Array): Promise<Buffer>
  close(): Promise<void>
}

/** Sealed bytes that do not open: damaged, moved to another place, or of another root key. */
export class SealBroken extends Error {
  override readonly name = 'SealBroken'
}

/** The root key cannot be reached now; trying again may help. */
export class HsmUnavailable extends Error {
  override readonly name = 'HsmUnavailable'
}
