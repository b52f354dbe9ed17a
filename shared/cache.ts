/** A bounded cache in front of strongly consistent reads: what a decision rests on is never older than a set age. */
import { LRUCache } from 'lru-cache'
import type { Clock } from './clock.ts'

export interface ReadCacheOptions {
  /** Entries beyond this number push out the least recently used. */
  readonly maxEntries: number
  /** Milliseconds from the start of a read until its value may no longer be used; 0 = read every time. */
  readonly maxAgeMs: number
  readonly clock: Clock
}

/** A read under way. Its identity is its generation: `forget` drops it, and then it fills nothing. */
interface Flight<Value> {
  readonly startedAt: number
  readonly value: Promise<Value>
}

interface Entry<Value> {
  readonly readAt: number
  readonly value: Value
}

/**
 * Values by key, each read at most once per `maxAgeMs`. `null` is a value like any other, so that
 * what does not exist is cached too. A failed read is not kept.
 */
export class ReadCache<Value> {
  readonly #entries: LRUCache<string, Entry<Value>>
  readonly #flights = new Map<string, Flight<Value>>()
  readonly #maxAgeMs: number
  readonly #clock: Clock

  constructor({ maxEntries, maxAgeMs, clock }: ReadCacheOptions) {
    this.#entries = new LRUCache({ max: maxEntries })
    this.#maxAgeMs = maxAgeMs
    this.#clock = clock
  }

  /**
   * The value of `key`, from memory while it is young enough, otherwise from `load`. Callers that
   * ask while a read is under way share it. With a `maxAgeMs` of 0 every call reads for itself,
   * because a shared read may have begun before a change that the later caller must see.
   *
   * @throws whatever `load` throws
   */
  get(key: string, load: () => Promise<Value>): Promise<Value> {
    if (this.#maxAgeMs === 0) return load()
    const now = this.#clock.now()
    const entry = this.#entries.get(key)
    if (entry !== undefined && this.#isYoung(entry.readAt, now)) return Promise.resolve(entry.value)
    const flight = this.#flights.get(key)
    if (flight !== undefined && this.#isYoung(flight.startedAt, now)) return flight.value
    return this.#read(key, load, now)
  }

  /**
   * To be called once a change is stored. The next `get` reads anew, and a read that was under way
   * during the change does not bring its value back.
   */
  forget(key: string): void {
    this.#entries.delete(key)
    this.#flights.delete(key)
  }

  #read(key: string, load: () => Promise<Value>, startedAt: number): Promise<Value> {
    const flight: Flight<Value> = { startedAt, value: load() }
    this.#flights.set(key, flight)
    const land = (keep: (key: string) => void): void => {
      if (this.#flights.get(key) !== flight) return
      this.#flights.delete(key)
      keep(key)
    }
    flight.value.then(
      (value) => land(() => this.#entries.set(key, { readAt: startedAt, value })),
      () => land(() => {}),
    )
    return flight.value
  }

  /** Counted from the start of the read; a clock that was set back makes nothing young again. */
  #isYoung(readAt: number, now: number): boolean {
    const age = now - readAt
    return age >= 0 && age < this.#maxAgeMs
  }
}
