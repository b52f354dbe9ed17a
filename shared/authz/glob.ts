/**
 * Patterns of the policy language: `*` is any run of characters, also none and also `/`; `?` is one
 * character. What stands between two `*` is looked for from the left, once, and never tried again
 * further on: the first place is as good as any. So there is no backtracking, and no pattern takes
 * more steps than its length times the text's; a regular expression could take exponentially many.
 */

/** `*` and `?` among literal texts. */
export const ANY_RUN = Symbol('*')
export const ANY_ONE = Symbol('?')

export type GlobPart = string | typeof ANY_RUN | typeof ANY_ONE

/** What stands between two `*`: texts and single characters, one after the other. */
type Chunk = readonly (string | typeof ANY_ONE)[]

/** Just the text, where there are no wildcards. */
export type Glob = string | WildGlob

interface WildGlob {
  /** At the start of the text; when there is no `last`, all of it. */
  readonly first: Chunk
  /** In this order, anywhere after it. */
  readonly middle: readonly Chunk[]
  /** At the end. */
  readonly last: Chunk | null
}

/** @param parts - literal text and wildcards */
export function compileGlob(parts: Iterable<GlobPart>): Glob {
  const chunks: (string | typeof ANY_ONE)[][] = [[]]
  for (const part of parts) {
    if (part === ANY_RUN) chunks.push([])
    else if (part !== '') append(chunks.at(-1) as (string | typeof ANY_ONE)[], part)
  }
  const [first = [], ...others] = chunks
  const [only = ''] = first
  if (others.length === 0 && first.length < 2 && typeof only === 'string') return only
  const last = others.pop() ?? null
  return { first, middle: others.filter((chunk) => chunk.length > 0), last }
}

/** @param text - in which `*` and `?` are wildcards and all else stands for itself */
export const parseGlob = (text: string): Glob =>
  compileGlob(
    text.split(/([*?])/).map((part) => {
      if (part === '*') return ANY_RUN
      return part === '?' ? ANY_ONE : part
    }),
  )

/** Whether all of the text fits the glob. */
export const matchesGlob = (glob: Glob, text: string): boolean =>
  typeof glob === 'string' ? glob === text : fits(glob, text)

function fits({ first, middle, last }: WildGlob, text: string): boolean {
  let at = endFrom(first, text, 0)
  if (last === null) return at === text.length
  for (const chunk of middle) {
    if (at < 0) return false
    at = endOfNext(chunk, text, at)
  }
  return at >= 0 && startOfLast(last, text) >= at
}

function append(chunk: (string | typeof ANY_ONE)[], part: string | typeof ANY_ONE): void {
  const before = chunk.at(-1)
  if (typeof part === 'string' && typeof before === 'string')
    chunk[chunk.length - 1] = before + part
  else chunk.push(part)
}

/** Where the chunk ends that starts at `at`, -1 when it does not. */
function endFrom(chunk: Chunk, text: string, at: number): number {
  let end = at
  for (const part of chunk) {
    if (typeof part !== 'string') {
      if (end >= text.length) return -1
      end += isPair(text, end) ? 2 : 1
    } else if (text.startsWith(part, end)) {
      end += part.length
    } else {
      return -1
    }
  }
  return end
}

/** Where the first such chunk at or after `from` ends, -1 when there is none. */
function endOfNext(chunk: Chunk, text: string, from: number): number {
  const [part] = chunk
  if (chunk.length === 1 && typeof part === 'string') {
    const start = text.indexOf(part, from)
    return start < 0 ? -1 : start + part.length
  }
  for (let start = from; start < text.length; start += isPair(text, start) ? 2 : 1) {
    const end = endFrom(chunk, text, start)
    if (end >= 0) return end
  }
  return -1
}

/** Where the chunk starts with which the text ends, -1 when it does not. */
function startOfLast(chunk: Chunk, text: string): number {
  let start = text.length
  for (let i = chunk.length - 1; i >= 0; i -= 1) {
    const part = chunk[i] as Chunk[number]
    if (typeof part !== 'string') {
      start -= isPair(text, start - 2) ? 2 : 1
    } else if (text.endsWith(part, start)) {
      start -= part.length
    } else {
      return -1
    }
  }
  return start
}

/** Whether two code units at an index are one character. */
const isPair = (text: string, at: number): boolean => (text.codePointAt(at) ?? 0) > 0xffff
