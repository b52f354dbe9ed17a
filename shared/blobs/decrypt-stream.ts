/**
 * Opens ranges of encrypted objects. A byte of plaintext leaves only after the tag of its segment
 * was verified; the commitment of a stream is compared before anything of it is opened.
 */
import { createSecretKey, KeyObject } from 'node:crypto'
import type { Readable } from 'node:stream'
import type { BackingStore } from './backing-store.ts'
import { type PartRange, PlaintextStream, type StoredPart } from './plaintext-stream.ts'

export interface ObjectSource {
  readonly store: Pick<BackingStore, 'get'>
  /** 32 bytes. Bytes are copied at once, so they may be overwritten when the call has returned. */
  readonly objectKey: KeyObject | Uint8Array
  /** What the stream keys were derived with: the version id of the object. */
  readonly streamId: string
  /** As `objectKey`, of the outer layer, where there is one. */
  readonly outerKey?: KeyObject | Uint8Array | null
}

/**
 * Opens bytes `start` to `end` (both inclusive; `end` is `start - 1` for none) of one part.
 * Returns and throws as `openObject` does.
 */
export const openRange = (
  source: ObjectSource,
  part: StoredPart,
  start: number,
  end: number,
): Promise<Readable> => openObject(source, [part], start, end)

/**
 * Opens bytes `start` to `end` (both inclusive; `end` is `start - 1` for none) of the plaintext that
 * the parts make up in their order. Parts are opened one after the other, when they are reached.
 * @returns once the first segment was verified: a stream of plaintext, which the caller reads to its
 *   end or destroys. It fails with `ObjectDamaged` where a segment does not verify or is missing, so
 *   a stream that ends without an error gave every byte. A blob that is gone when its part is
 *   reached fails it with `BlobMissing`
 * @throws ObjectDamaged when the first segment does not verify; BlobMissing when the first blob is
 *   gone (the object was replaced after its record was read); RangeError when the range does not lie
 *   within the object
 */
export async function openObject(
  source: ObjectSource,
  parts: readonly StoredPart[],
  start: number,
  end: number,
): Promise<Readable> {
  const { objectKey, outerKey } = source
  const keys = { objectKey: held(objectKey), outerKey: outerKey ? held(outerKey) : null }
  const ranges = partRanges(parts, start, end)
  const plaintext = new PlaintextStream({ ...source, ...keys }, ranges)
  await plaintext.verified
  return plaintext
}

const held = (key: KeyObject | Uint8Array): KeyObject =>
  key instanceof KeyObject ? key : createSecretKey(key)

/**
 * Finds the parts that hold a range, by the prefix sums of their sizes.
 * @returns at least one; an empty range gives the start of the first part, so that something is
 *   verified
 * @throws RangeError when the range does not lie within the parts
 */
export function partRanges(
  parts: readonly StoredPart[],
  start: number,
  end: number,
): readonly PartRange[] {
  const ranges: PartRange[] = []
  let offset = 0
  for (const part of parts) {
    const from = Math.max(start - offset, 0)
    const to = Math.min(end - offset, part.size - 1)
    if (from <= to) ranges.push({ part, start: from, end: to })
    offset += part.size
  }
  const [first] = parts
  if (!(start >= 0 && end >= start - 1 && end < offset) || first === undefined) {
    throw new RangeError(`Bytes ${start} to ${end} do not lie within ${offset}.`)
  }
  return ranges.length > 0 ? ranges : [{ part: first, start: 0, end: -1 }]
}
