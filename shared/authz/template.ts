/**
 * A text of a policy that may have wildcards and, since version 2012-10-17, policy variables:
 * `${key}`, `${key, 'default'}`, and `${*}`, `${?}`, `${$}` for the characters themselves (IAM User
 * Guide, "IAM policy elements: Variables and tags"). What a variable stands for is inserted as
 * literal text: a `*` in a tag never becomes a wildcard.
 */
import { foldCase } from './fold-case.ts'
import { ANY_ONE, ANY_RUN, type GlobPart } from './glob.ts'
import { malformed } from './policy-problem.ts'

interface Variable {
  /** In folded case. */
  readonly key: string
  readonly fallback: string | null
}

type Part = GlobPart | Variable

export interface Template {
  readonly parts: readonly Part[]
  /** Keys of the variables, in folded case. */
  readonly variables: readonly string[]
}

/** The value of a single-valued condition key by folded name; `null` when the request has none. */
export type VariableLookup = (key: string) => string | null

/**
 * @param options.variables - whether `${…}` is a variable, or just text
 * @param options.wildcards - whether `*` and `?` are wildcards, or just text
 * @throws PolicyProblem `malformed` when a variable is not well formed
 */
export function parseTemplate(
  text: string,
  options: { readonly variables: boolean; readonly wildcards: boolean },
): Template {
  const parts: Part[] = []
  const special = /[*?]|\$\{/g
  let from = 0
  for (let found = special.exec(text); found !== null; found = special.exec(text)) {
    const [mark] = found
    if (mark === '${' ? !options.variables : !options.wildcards) continue
    if (found.index > from) parts.push(text.slice(from, found.index))
    from = special.lastIndex
    if (mark === '${') {
      const end = text.indexOf('}', from)
      if (end < 0) throw malformed(`The policy variable in ${text} is not closed.`)
      parts.push(parseVariable(text.slice(from, end)))
      from = special.lastIndex = end + 1
    } else {
      parts.push(mark === '*' ? ANY_RUN : ANY_ONE)
    }
  }
  if (from < text.length) parts.push(text.slice(from))
  return { parts, variables: parts.flatMap((part) => (isVariable(part) ? [part.key] : [])) }
}

/** The template with values for its variables, `null` when one of them has none. */
export function partsOf(template: Template, lookup: VariableLookup): readonly GlobPart[] | null {
  const parts: GlobPart[] = []
  for (const part of template.parts) {
    const value = typeof part === 'object' ? resolve(part, lookup) : part
    if (value === null) return null
    parts.push(value)
  }
  return parts
}

/** A template without wildcards as text, `null` when one of its variables has no value. */
export const textOf = (template: Template, lookup: VariableLookup): string | null =>
  partsOf(template, lookup)?.join('') ?? null

/** For templates that have no variables. */
export const noVariables: VariableLookup = () => null

function parseVariable(content: string): string | Variable {
  if (content === '*' || content === '?' || content === '$') return content
  const comma = content.indexOf(',')
  const key = (comma < 0 ? content : content.slice(0, comma)).trim()
  if (!/^[^:'"${}*?]+:[^'"${}*?]+$/.test(key)) {
    throw malformed(`The policy variable \${${content}} is not valid.`)
  }
  return {
    key: foldCase(key),
    fallback: comma < 0 ? null : parseFallback(content.slice(comma + 1).trim(), content),
  }
}

function parseFallback(quoted: string, content: string): string {
  const fallback = quoted.slice(1, -1)
  if (quoted !== `'${fallback}'` || fallback.includes("'")) {
    throw malformed(`The default of the policy variable \${${content}} is not valid.`)
  }
  return fallback
}

const isVariable = (part: Part): part is Variable => typeof part === 'object'

const resolve = (variable: Variable, lookup: VariableLookup): string | null =>
  lookup(variable.key) ?? variable.fallback
