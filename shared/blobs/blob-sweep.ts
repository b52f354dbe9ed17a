/**
 * Removing blobs that nothing names: what a crash left between a blob and its record, and what could
 * not be removed when it lost its name. The index is the only one to say what is named, so all of it
 * is read before anything goes; blobs that are younger than any write may take are not looked at.
 */
import { createHash } from 'node:crypto'
import type { BackingStore } from './backing-store.ts'

export interface SweepOptions {
  readonly blobs: Pick<BackingStore, 'list' | 'delete'>
  /** Every blob that the index names, at any moment of the reading. Read anew for each share of the blobs. */
  named(): AsyncIterable<string>
  /** Milliseconds since the epoch; what was stored later stays. */
  readonly storedBefore: number
  /** How many names are held at once; more blobs are taken in shares. */
  readonly maxHeld?: number
}

export interface SweepResult {
  /** Blobs that are old enough. */
  readonly seen: number
  readonly removed: number
}

const MAX_HELD = 1_000_000
const DELETIONS_AT_ONCE = 16

/** @throws what the stores fail with; whatever was removed until then was named by nothing */
export async function sweepBlobs(options: SweepOptions): Promise<SweepResult> {
  const { maxHeld = MAX_HELD } = options
  let seen = 0
  for await (const _ of oldNames(options)) seen += 1
  const shares = Math.ceil(seen / maxHeld)
  let removed = 0
  for (let share = 0; share < shares; share++) {
    removed += await sweepShare((name) => shareOf(name, shares) === share, options)
  }
  return { seen, removed }
}

async function sweepShare(isIn: (name: string) => boolean, options: SweepOptions): Promise<number> {
  const nameless = new Set<string>()
  for await (const name of oldNames(options)) if (isIn(name)) nameless.add(name)
  if (nameless.size === 0) return 0
  for await (const name of options.named()) nameless.delete(name)
  const names = [...nameless]
  for (let start = 0; start < names.length; start += DELETIONS_AT_ONCE) {
    const some = names.slice(start, start + DELETIONS_AT_ONCE)
    await Promise.all(some.map((name) => options.blobs.delete(name)))
  }
  return names.length
}

async function* oldNames({ blobs, storedBefore }: SweepOptions): AsyncGenerator<string> {
  for await (const { name, modifiedAt } of blobs.list()) if (modifiedAt < storedBefore) yield name
}

/** Which share a name falls in, the same each time. */
const shareOf = (name: string, shares: number): number =>
  shares === 1 ? 0 : createHash('sha256').update(name).digest().readUInt32BE() % shares
