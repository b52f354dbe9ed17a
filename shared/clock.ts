/** What time it is. Everything that depends on time takes one, so that tests can set it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
}

export const systemClock: Clock = { now: () => Date.now() }

/** A clock that runs beside another one and can be put ahead of it, or behind it. */
export class AdjustableClock implements Clock {
  readonly #base: Clock
  #offset = 0

  constructor(base: Clock = systemClock) {
    this.#base = base
  }

  now(): number {
    return this.#base.now() + this.#offset
  }

  /** Milliseconds ahead of the clock that it runs beside; negative: behind it. */
  get offset(): number {
    return this.#offset
  }

  set offset(milliseconds: number) {
    this.#offset = milliseconds
  }

  /** Puts it to a time, in milliseconds since the epoch; it runs on from there. */
  set(time: number): void {
    this.#offset = time - this.#base.now()
  }
}
