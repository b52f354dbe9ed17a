/** Lets calls through, as many at once as come; and one piece of work for which nobody may be inside. */

/** Somebody stayed inside for longer than was waited. */
export class StillInside extends Error {
  override readonly name = 'StillInside'
}

export class Turnstile {
  #inside = 0
  #opening: Promise<void> | null = null
  #emptied: (() => void) | null = null

  /** Goes in, and out again when the call has ended. While somebody is alone inside, it waits. */
  pass(call: () => Promise<void>): Promise<void> {
    if (this.#opening === null) return this.#run(call)
    return this.#opening.then(() => this.pass(call))
  }

  /**
   * Waits until nobody is inside, and keeps everybody out until the work is done.
   * @param patience - in milliseconds
   * @throws StillInside when that takes longer; the work was not begun then
   * @throws whatever the work throws
   */
  async alone<Result>(patience: number, work: () => Promise<Result>): Promise<Result> {
    while (this.#opening !== null) await this.#opening
    const { promise, resolve: open } = Promise.withResolvers<void>()
    this.#opening = promise
    try {
      await this.#empty(patience)
      return await work()
    } finally {
      this.#opening = null
      open()
    }
  }

  async #run(call: () => Promise<void>): Promise<void> {
    this.#inside += 1
    try {
      await call()
    } finally {
      this.#inside -= 1
      if (this.#inside === 0) this.#emptied?.()
    }
  }

  async #empty(patience: number): Promise<void> {
    if (this.#inside === 0) return
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const late = setTimeout(
      () => reject(new StillInside('A call has not ended in time.')),
      patience,
    )
    this.#emptied = resolve
    try {
      await promise
    } finally {
      clearTimeout(late)
      this.#emptied = null
    }
  }
}
