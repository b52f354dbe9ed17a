/** What must never happen, gathered while a run goes on. */
import type { Shot } from './shots.ts'

const MAX_KEPT = 50

export class Findings {
  readonly #lines: string[] = []
  #count = 0

  /** @param shot - what was fired, so that it can be fired again */
  add(what: string, shot?: Shot): void {
    this.#count++
    if (this.#lines.length >= MAX_KEPT) return
    const fired = shot === undefined ? '' : ` ${shot.operation} ${describeShot(shot)}`
    this.#lines.push(`${what}${fired}`)
  }

  get count(): number {
    return this.#count
  }

  get lines(): readonly string[] {
    return this.#lines
  }
}

const describeShot = (shot: Shot): string =>
  `${shot.kind === 'spoiled' ? `(${shot.spoil}) ` : ''}${JSON.stringify(shot.body.subarray(0, 1500).toString('latin1'))}`
