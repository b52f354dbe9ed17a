/**
 * The form of a call of AWS's Query protocol: names that say where in the input a text stands
 * (`Tags.member.2.Key`), read into structures and lists (Smithy, "AWS query protocol").
 */
import { JsonError } from '../errors.ts'
import { integer, list, type Shape } from '../pipeline/shape.ts'

/** A text, a list, or members by name. */
export type FormValue = string | readonly FormValue[] | { readonly [name: string]: FormValue }

export interface Form {
  /** Empty when none is named. */
  readonly action: string
  readonly version: string | null
  /** All parameters. */
  readonly input: FormValue
}

const MAX_PARAMETERS = 1000
const MAX_DEPTH = 8
const INDEX = /^[1-9][0-9]{0,5}$/

interface Node {
  [name: string]: string | Node
}

/**
 * @param texts - of the query and of the body, percent-encoded; each name once in all of them, so that
 *   no two readers see different calls
 * @throws JsonError SerializationException
 */
export function parseForm(...texts: readonly string[]): Form {
  const root: Node = Object.create(null)
  let count = 0
  for (const [name, value] of texts.flatMap((text) => [...new URLSearchParams(text)])) {
    count += 1
    if (count > MAX_PARAMETERS) throw malformed('There are more parameters than a call may have.')
    place(root, name, value)
  }
  const { Action: action, Version: version } = root
  return {
    action: typeof action === 'string' ? action : '',
    version: typeof version === 'string' ? version : null,
    input: readNode(root),
  }
}

function place(root: Node, name: string, value: string): void {
  const path = name.split('.')
  const last = path.pop() ?? ''
  if (path.length >= MAX_DEPTH) throw malformed('A parameter lies deeper than any of a call.')
  let node = root
  for (const step of path) {
    node[step] ??= Object.create(null) as Node
    const next = node[step]
    if (typeof next === 'string') throw malformed('A parameter is both a text and a structure.')
    node = next
  }
  if (node[last] !== undefined) throw malformed('A parameter is given more than once.')
  node[last] = value
}

/** What has `member` and nothing else is a list; gaps in its numbers do not matter. */
function readNode(node: string | Node): FormValue {
  if (typeof node === 'string') return node
  const names = Object.keys(node)
  const { member } = node
  if (names.length === 1 && typeof member === 'object') return listOf(member)
  const value: Record<string, FormValue> = Object.create(null)
  for (const name of names) value[name] = readNode(node[name] as string | Node)
  return value
}

function listOf(member: Node): readonly FormValue[] {
  const indexes = Object.keys(member)
  if (!indexes.every((index) => INDEX.test(index))) {
    throw malformed('The members of a list must be numbered.')
  }
  return indexes
    .toSorted((one, other) => Number(one) - Number(other))
    .map((index) => readNode(member[index] as string | Node))
}

/** A whole number, written in decimal digits. */
export function queryInteger(limits: { readonly min?: number; readonly max?: number }) {
  const number = integer(limits)
  const shape: Shape<number> = {
    read(value, path, faults) {
      if (typeof value !== 'string' || !/^-?[0-9]{1,15}$/.test(value)) {
        throw malformed(`${path} must be a whole number.`)
      }
      return number.read(Number(value), path, faults)
    },
  }
  return shape
}

/** A list; clients send one without members as an empty text. */
export function queryList<Value>(
  item: Shape<Value>,
  limits: { readonly min?: number; readonly max?: number } = {},
): Shape<readonly Value[]> {
  const of = list(item, limits)
  return {
    sensitive: of.sensitive ?? false,
    read: (value, path, faults) => of.read(value === '' ? [] : value, path, faults),
  }
}

const malformed = (text: string): JsonError => new JsonError('SerializationException', text)
