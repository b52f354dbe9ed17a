/**
 * S3 Bucket Keys (Amazon S3 User Guide, "Reducing the cost of SSE-KMS with Amazon S3 Bucket Keys"): a
 * data key that the writes of one requester to one bucket share for a while, and reads likewise, so
 * that KMS is asked once instead of every time. It is bound to the bucket, not to an object, and
 * never leaves the process that was given it.
 */
import { createHash } from 'node:crypto'
import { ReadCache } from '../cache.ts'
import type { Clock } from '../clock.ts'

const MAX_KEYS = 10_000
/** Random nonces allow 2^32 wraps under one key (SP 800-38D §8.3); this is far from it. */
const MAX_USES = 1_000_000

interface Held<Key> {
  readonly key: Key
  uses: number
}

/** What a bucket key is for; whoever differs in any of it has another one. */
export interface BucketKeyUse {
  /** Of one requester: sessions are requesters of their own. */
  readonly accessKeyId: string
  readonly keyArn: string
  /** The bucket, for writes; the ciphertext blob, for reads. */
  readonly of: Uint8Array | string
  /** Canonical bytes. */
  readonly context: Uint8Array
}

export class BucketKeys<Key> {
  readonly #cache: ReadCache<Held<Key>>

  /** @param maxAgeMs - how long a key may be used after it was asked for; 0 asks every time */
  constructor(maxAgeMs: number, clock: Clock) {
    this.#cache = new ReadCache({ maxEntries: MAX_KEYS, maxAgeMs, clock })
  }

  /** @throws whatever `ask` throws */
  async get(use: BucketKeyUse, ask: () => Promise<Key>): Promise<Key> {
    const name = nameOf(use)
    const held = await this.#cache.get(name, async () => ({ key: await ask(), uses: 0 }))
    held.uses += 1
    if (held.uses >= MAX_USES) this.#cache.forget(name)
    return held.key
  }
}

function nameOf({ accessKeyId, keyArn, of, context }: BucketKeyUse): string {
  const digest = createHash('sha256').update(context).digest('base64')
  const subject = typeof of === 'string' ? of : createHash('sha256').update(of).digest('base64')
  return `${accessKeyId} ${keyArn} ${subject} ${digest}`
}
