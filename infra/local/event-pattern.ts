/**
 * Event patterns (EventBridge User Guide, "Amazon EventBridge event patterns" and "Comparison
 * operators for use in event patterns"). A pattern is an object of the event's shape whose leaves
 * are lists of what may stand there; every field that it names must match. Where the event has a
 * list, any entry may match.
 */

type Test = (value: unknown) => boolean
type Fields = Readonly<Record<string, unknown>>

/**
 * Compiles a pattern.
 * @throws TypeError when it has not the form of one, or uses an operator that is not known here
 */
export function compilePattern(pattern: unknown): (event: unknown) => boolean {
  if (!isFields(pattern)) throw new TypeError('An event pattern must be an object.')
  const tests = Object.entries(pattern).map(([name, expected]) => compileField(name, expected))
  return (event) => {
    const fields = isFields(event) ? event : {}
    return tests.every((test) => test(fields))
  }
}

function compileField(name: string, expected: unknown): (fields: Fields) => boolean {
  if (name === '$or' && Array.isArray(expected)) {
    const alternatives = expected.map(compilePattern)
    return (fields) => alternatives.some((matches) => matches(fields))
  }
  if (Array.isArray(expected)) {
    const leaf = compileLeaf(expected)
    return (fields) => leaf(ownValue(fields, name))
  }
  const nested = compilePattern(expected)
  return (fields) => {
    const value = ownValue(fields, name)
    return Array.isArray(value) && value.length > 0 ? value.some(nested) : nested(value)
  }
}

const ownValue = (fields: Fields, name: string): unknown =>
  Object.hasOwn(fields, name) ? fields[name] : undefined

/** One of a list of literals and operators. */
function compileLeaf(expected: readonly unknown[]): Test {
  if (expected.length === 0) throw new TypeError('A list of an event pattern must not be empty.')
  const existence = expected.filter(isExistence)
  const values = expected.filter((matcher) => !isExistence(matcher)).map(compileMatcher)
  return (value) => {
    const found = valuesOf(value)
    return (
      existence.some(({ exists }) => exists === found.length > 0) ||
      values.some((test) => found.some(test))
    )
  }
}

const isExistence = (matcher: unknown): matcher is { readonly exists: boolean } =>
  isFields(matcher) && typeof matcher.exists === 'boolean'

/** The leaves that stand in a place; objects are none. */
function valuesOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value.flatMap(valuesOf)
  return value === undefined || isFields(value) ? [] : [value]
}

function compileMatcher(matcher: unknown): Test {
  if (!isFields(matcher)) return equals(matcher)
  const [[operator, operand] = ['', undefined], ...others] = Object.entries(matcher)
  const compile = Object.hasOwn(OPERATORS, operator) ? OPERATORS[operator] : undefined
  if (compile === undefined || others.length > 0) {
    throw new TypeError(`Not a matcher of event patterns: ${JSON.stringify(matcher)}`)
  }
  return compile(operand)
}

const OPERATORS: Readonly<Record<string, (operand: unknown) => Test>> = {
  prefix: (operand) => affix(operand, (text, part) => text.startsWith(part)),
  suffix: (operand) => affix(operand, (text, part) => text.endsWith(part)),
  'equals-ignore-case': (operand) => {
    const expected = fold(requireText(operand))
    return (value) => typeof value === 'string' && fold(value) === expected
  },
  wildcard: (operand) => {
    const parts = requireText(operand).match(/\\.|[^\\]/gsu) ?? []
    const source = parts.map((part) =>
      part === '*' ? '.*' : escapeRegExp(part.replace(/^\\/, '')),
    )
    const expression = new RegExp(`^${source.join('')}$`, 'su')
    return (value) => typeof value === 'string' && expression.test(value)
  },
  numeric: compileNumeric,
  'anything-but': (operand) => {
    const excluded = excludedBy(operand)
    return (value) => !excluded.some((test) => test(value))
  },
}

/** `anything-but` takes a value, a list of values, or an operator on one text or on several. */
function excludedBy(operand: unknown): readonly Test[] {
  if (Array.isArray(operand)) return operand.map(equals)
  if (!isFields(operand)) return [equals(operand)]
  return Object.entries(operand).flatMap(([operator, texts]) =>
    [texts].flat().map((text) => compileMatcher({ [operator]: text })),
  )
}

function affix(operand: unknown, matches: (text: string, part: string) => boolean): Test {
  if (isFields(operand)) {
    const part = fold(requireText(operand['equals-ignore-case']))
    return (value) => typeof value === 'string' && matches(fold(value), part)
  }
  const part = requireText(operand)
  return (value) => typeof value === 'string' && matches(value, part)
}

const COMPARISONS: Readonly<Record<string, (left: number, right: number) => boolean>> = {
  '=': (left, right) => left === right,
  '<': (left, right) => left < right,
  '<=': (left, right) => left <= right,
  '>': (left, right) => left > right,
  '>=': (left, right) => left >= right,
}

/** `[">", 0, "<=", 5]`: comparisons that all must hold. */
function compileNumeric(operand: unknown): Test {
  if (!Array.isArray(operand) || operand.length === 0 || operand.length % 2 !== 0) {
    throw new TypeError('numeric takes pairs of a comparison and a number.')
  }
  const tests: ((value: number) => boolean)[] = []
  for (let at = 0; at < operand.length; at += 2) {
    const [name, bound] = [operand[at], operand[at + 1]]
    const compare = Object.hasOwn(COMPARISONS, String(name)) ? COMPARISONS[name] : undefined
    if (compare === undefined || typeof bound !== 'number') {
      throw new TypeError('numeric takes pairs of a comparison and a number.')
    }
    tests.push((value) => compare(value, bound))
  }
  return (value) => typeof value === 'number' && tests.every((test) => test(value))
}

const equals =
  (expected: unknown): Test =>
  (value) =>
    value === expected

const fold = (text: string): string => text.toLowerCase()

const escapeRegExp = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')

function requireText(operand: unknown): string {
  if (typeof operand !== 'string') throw new TypeError('The operand must be a text.')
  return operand
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
