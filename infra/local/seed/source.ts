/** A seed file as it was written: its values with the lines that they stand on, so that a mistake can be found. */
import { type Document, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml'
import { StartProblem } from '../start-problem.ts'

interface Source {
  /** As it is to be named in messages. */
  readonly file: string
  readonly document: Document
  readonly lines: LineCounter
}

/**
 * @param file - as it is to be named in messages
 * @returns the value of the whole file
 * @throws StartProblem with file, line and reason when it is not YAML
 */
export function readSource(file: string, text: string): SourceValue {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, logLevel: 'error' })
  const [error] = document.errors
  if (error !== undefined) {
    const isSecond = error.code === 'MULTIPLE_DOCS'
    const [reason] = isSecond ? ['A seed is one document'] : error.message.split(/ at line |\n/)
    throw new StartProblem(`${file}:${lines.linePos(error.pos[0]).line}: ${reason}.`)
  }
  return new SourceValue({ file, document, lines }, document.contents, 1)
}

/** One value of the file. What asks for its form throws when it has another. */
export class SourceValue {
  /** From 1. */
  readonly line: number
  readonly #source: Source
  readonly #node: Node | null

  constructor(source: Source, node: unknown, line: number) {
    this.#source = source
    this.#node = source.document && resolved(node, source.document)
    const [start] = this.#node?.range ?? []
    this.line = start === undefined || this.#node === null ? line : lineOf(node, source, line)
  }

  /** @throws StartProblem always */
  fail(reason: string): never {
    throw new StartProblem(`${this.#source.file}:${this.line}: ${reason}`)
  }

  isMapping(): boolean {
    return isMap(this.#node)
  }

  isList(): boolean {
    return isSeq(this.#node)
  }

  /** @returns the members of a mapping, whatever they are called */
  members(): ReadonlyMap<string, SourceValue> {
    if (!isMap(this.#node)) this.fail('A mapping is expected here.')
    const found = new Map<string, SourceValue>()
    for (const { key, value } of this.#node.items) {
      const line = lineOf(key, this.#source, this.line)
      found.set(scalarText(key) ?? '', new SourceValue(this.#source, value, line))
    }
    return found
  }

  /** @returns the members of a mapping, which may have no others than these */
  only<Name extends string>(...names: readonly Name[]): Partial<Record<Name, SourceValue>> {
    const members = this.members()
    for (const [name, value] of members) {
      if ((names as readonly string[]).includes(name)) continue
      value.fail(`There is no "${name}" here; there may be ${names.join(', ')}.`)
    }
    return Object.fromEntries(members) as Partial<Record<Name, SourceValue>>
  }

  items(): readonly SourceValue[] {
    if (!isSeq(this.#node)) this.fail('A list is expected here.')
    return this.#node.items.map((item) => new SourceValue(this.#source, item, this.line))
  }

  /** What stands there, also when it looks like a number: an account id, digits of hex. */
  text(): string {
    return scalarText(this.#node) ?? this.fail('A text is expected here.')
  }

  /** @param form - what it must be, as the end of a sentence */
  parsed<Parsed>(parse: (text: string) => Parsed | null, form: string): Parsed {
    const text = this.text()
    return parse(text) ?? this.fail(`This must be ${form}, not ${JSON.stringify(text)}.`)
  }

  flag(): boolean {
    const value = isScalar(this.#node) ? this.#node.value : null
    return typeof value === 'boolean' ? value : this.fail('true or false is expected here.')
  }

  /** A text of at most `max` characters. */
  shortText(max: number): string {
    const text = this.text()
    return text.length <= max ? text : this.fail(`This must have at most ${max} characters.`)
  }

  /** A document of JSON: as a text, or written out as a mapping. */
  json(): string {
    if (!isMap(this.#node)) return this.text()
    try {
      return JSON.stringify(this.#node.toJS(this.#source.document))
    } catch {
      return this.fail('An alias (*) here has no anchor, stands for itself, or for too much.')
    }
  }
}

/** An alias of YAML stands for what its anchor names. */
function resolved(node: unknown, document: Document): Node | null {
  const found = node as { resolve?(document: Document): Node | undefined } & Node
  if (found === null || found === undefined) return null
  return found.resolve === undefined ? found : (found.resolve(document) ?? null)
}

/** Where it is written, not where its anchor is. */
function lineOf(node: unknown, { lines }: Source, otherwise: number): number {
  const start = (node as Node | null)?.range?.[0]
  return start === undefined ? otherwise : lines.linePos(start).line
}

/** `null` for what is no text, and for nothing. */
function scalarText(node: unknown): string | null {
  if (!isScalar(node) || node.value === null) return null
  return typeof node.value === 'string' ? node.value : (node.source ?? String(node.value))
}
