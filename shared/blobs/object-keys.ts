/** The opened keys of one object, for as long as a call needs them. */

/** Both in allocations of their own; `wipeObjectKeys` overwrites them. */
export interface ObjectKeys {
  /** 32 bytes, of which stream keys and the manifest key are derived. */
  readonly objectKey: Buffer
  /** 32 bytes more, independent of the first, where there is a second layer (DSSE-KMS). */
  readonly outerKey: Buffer | null
}

export function wipeObjectKeys({ objectKey, outerKey }: ObjectKeys): void {
  objectKey.fill(0)
  outerKey?.fill(0)
}
