/** How the operations answered, by lines such as `Encrypt 200` or `Encrypt NotFoundException`. */
export class Tally {
  readonly #counts = new Map<string, number>()

  /** @param operation - in brackets for what calls none: `(bytes)` */
  add(operation: string, answer: string | number): void {
    const line = `${operation} ${answer}`
    this.#counts.set(line, (this.#counts.get(line) ?? 0) + 1)
  }

  get lines(): readonly string[] {
    return [...this.#counts].toSorted().map((line) => line.join(': '))
  }

  /** The operations of KMS that answered. */
  get answered(): readonly string[] {
    const names = [...this.#counts.keys()].map((line) => line.split(' ')[0] ?? '')
    return [...new Set(names)].filter((name) => /^[A-Z]/.test(name))
  }

  /** Those of them that never did what they were asked for. */
  get neverSucceeded(): readonly string[] {
    return this.answered.filter((name) => !this.#counts.has(`${name} 200`))
  }
}
