/** Writes one stream of plaintext into a backing store, encrypted: what `openObject` reads. */
import type { KeyObject } from 'node:crypto'
import { pipeline, type Readable } from 'node:stream'
import type { BackingStore } from './backing-store.ts'
import { newBlobName } from './blob-name.ts'
import { SegmentEncryptor } from './encrypt-stream.ts'
import type { StoredPart } from './plaintext-stream.ts'
import { storedLength } from './segments.ts'
import { deriveStreamKey, newSalt } from './stream-key.ts'

export interface PartTarget {
  readonly store: Pick<BackingStore, 'put'>
  /** 32 bytes. Bytes are read at once, so they may be overwritten when the call has returned. */
  readonly objectKey: KeyObject | Uint8Array
  /** As `objectKey`, of the outer layer, where there is one. */
  readonly outerKey?: KeyObject | Uint8Array | null
  /** What the stream belongs to: the version id of the object. */
  readonly streamId: string
  /** Sees every chunk of plaintext once, in order: for digests. What it throws fails the write. */
  readonly observe?: (chunk: Uint8Array) => void
  /**
   * Asked when all plaintext has come and before the last of it is stored; what it throws (a digest
   * that does not agree) fails the write.
   */
  readonly verify?: () => void | Promise<void>
  readonly signal?: AbortSignal
}

/**
 * Stores the plaintext under a new random name, a fresh salt and so a fresh stream key.
 * @returns what `openObject` needs, once the blob is durable; nobody knows its name yet
 * @throws what the source, `observe`, `verify` or the store fails with; then nothing is left behind
 */
export async function writePart(target: PartTarget, plaintext: Readable): Promise<StoredPart> {
  const blob = newBlobName()
  const salt = newSalt()
  const { key, commitment } = deriveStreamKey(target.objectKey, salt, target.streamId)
  const encryptor = new SegmentEncryptor({ key, salt, ...target })
  const outer = outerLayer(target, salt)
  const stored = outer ?? encryptor
  // Each side's failure reaches the other through the pipeline, and the caller through the store.
  if (outer === null) pipeline(plaintext, encryptor, () => {})
  else pipeline(plaintext, encryptor, outer, () => {})
  const length = await target.store.put(blob, stored, target.signal)
  if (length !== storedLength(stored.plainSize)) throw new Error('The store lost bytes.')
  return { blob, salt, commitment, size: encryptor.plainSize }
}

/** Under a key of its own, so the salt may be the same. */
function outerLayer({ outerKey, streamId }: PartTarget, salt: Buffer): SegmentEncryptor | null {
  if (!outerKey) return null
  const { key } = deriveStreamKey(outerKey, salt, streamId)
  return new SegmentEncryptor({ key, salt })
}
