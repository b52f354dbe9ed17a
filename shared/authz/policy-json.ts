/**
 * JSON as policies are written: RFC 8259, and stricter in what JSON.parse lets pass. A member may
 * appear once only, objects become Maps so that no name means anything to JavaScript, nesting is
 * bounded, and text is limited to the characters that IAM allows in a policy: tab, line feed,
 * carriage return and U+0020 to U+00FF (IAM API reference, "PolicyDocument").
 */
import { malformed, PolicyProblem } from './policy-problem.ts'

/** A number, `true`, `false` or `null`, as it was written. */
export interface Unquoted {
  readonly unquoted: string
}

export type PolicyObject = ReadonlyMap<string, PolicyJson>
export type PolicyJson = string | Unquoted | readonly PolicyJson[] | PolicyObject

/** A policy needs six levels: document, statements, statement, condition, operator, values. */
const MAX_DEPTH = 16

const WHITESPACE = /[ \t\n\r]*/y
const UNQUOTED = /true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
const HEX = /^[0-9a-fA-F]{4}$/
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
])

/**
 * @param text - whose size the caller has checked
 * @throws PolicyProblem `not-json` when the text is not JSON, `malformed` when it is JSON that a
 *   policy may not be: a member given twice, nesting deeper than 16, a character out of range
 */
export function parsePolicyJson(text: string): PolicyJson {
  const reader = new Reader(text)
  const value = reader.value(1)
  reader.end()
  return value
}

const notJson = () => new PolicyProblem('not-json', 'The policy is not valid JSON.')

class Reader {
  private readonly text: string
  private at = 0

  constructor(text: string) {
    this.text = text
  }

  value(depth: number): PolicyJson {
    if (depth > MAX_DEPTH) throw malformed('The policy is nested too deeply.')
    this.space()
    switch (this.text[this.at]) {
      case '"':
        return this.string()
      case '{':
        return this.object(depth)
      case '[':
        return this.array(depth)
      default:
        return { unquoted: this.token(UNQUOTED) }
    }
  }

  end(): void {
    this.space()
    if (this.at !== this.text.length) throw notJson()
  }

  private object(depth: number): PolicyObject {
    const members = new Map<string, PolicyJson>()
    this.at += 1
    if (this.next('}')) return members
    do {
      this.space()
      const name = this.string()
      if (members.has(name)) throw malformed(`The policy has the member ${name} twice.`)
      this.expect(':')
      members.set(name, this.value(depth + 1))
    } while (this.next(','))
    this.expect('}')
    return members
  }

  private array(depth: number): readonly PolicyJson[] {
    const items: PolicyJson[] = []
    this.at += 1
    if (this.next(']')) return items
    do items.push(this.value(depth + 1))
    while (this.next(','))
    this.expect(']')
    return items
  }

  private string(): string {
    if (this.text[this.at] !== '"') throw notJson()
    let decoded = ''
    let from = this.at + 1
    for (this.at = from; this.text[this.at] !== '"'; ) {
      if (this.text[this.at] === '\\') {
        decoded += this.text.slice(from, this.at) + this.escape()
        from = this.at
      } else {
        this.character()
      }
    }
    decoded += this.text.slice(from, this.at)
    this.at += 1
    return decoded
  }

  private character(): void {
    const code = this.text.charCodeAt(this.at)
    if (!(code >= 0x20)) throw notJson() // also at the end of the text, where code is NaN
    if (code > 0xff) throw outOfRange()
    this.at += 1
  }

  private escape(): string {
    const letter = this.text[this.at + 1] ?? ''
    const decoded = letter === 'u' ? this.hexEscape() : ESCAPES.get(letter)
    if (decoded === undefined) throw notJson()
    if (!isAllowed(decoded.charCodeAt(0))) throw outOfRange()
    this.at += letter === 'u' ? 6 : 2
    return decoded
  }

  private hexEscape(): string | undefined {
    const digits = this.text.slice(this.at + 2, this.at + 6)
    return HEX.test(digits) ? String.fromCharCode(Number.parseInt(digits, 16)) : undefined
  }

  private space(): void {
    WHITESPACE.lastIndex = this.at
    WHITESPACE.test(this.text)
    this.at = WHITESPACE.lastIndex
  }

  private token(pattern: RegExp): string {
    pattern.lastIndex = this.at
    const token = pattern.exec(this.text)?.[0]
    if (token === undefined) throw notJson()
    this.at += token.length
    return token
  }

  /** Steps over the character if it comes next, and says whether it did. */
  private next(character: string): boolean {
    this.space()
    if (this.text[this.at] !== character) return false
    this.at += 1
    return true
  }

  private expect(character: string): void {
    if (!this.next(character)) throw notJson()
  }
}

const outOfRange = () => malformed('The policy has a character that policies may not have.')

const isAllowed = (code: number): boolean =>
  code === 0x09 || code === 0x0a || code === 0x0d || (code >= 0x20 && code <= 0xff)
