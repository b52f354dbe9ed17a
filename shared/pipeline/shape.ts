/**
 * Declared constraints of a request, and AWS's sentences for breaking them. One declaration gives the
 * TypeScript type, the decoding (base64 to bytes, seconds to dates) and the validation of a request.
 *
 * A wrong JSON type is a `SerializationException`; broken constraints are collected over the whole
 * request and reported together as one `ValidationException` (AWS KMS API reference, "Common errors";
 * the grammar of the sentences is what the live service sends).
 */
import { JsonError } from '../errors.ts'

/** One broken constraint, worded: `Value '0' at 'limit' failed to satisfy constraint: …`. */
type Fault = string

/** Reads a JSON value that is present (not null) at `path`. */
export interface Shape<Value> {
  /** Whether nothing is said of the value, not even that it is null, as AWS does for secrets. */
  readonly sensitive?: boolean
  read(value: unknown, path: string, faults: Fault[]): Value
}

export interface Required<Value> {
  readonly required: Shape<Value>
}

type Members = Readonly<Record<string, Shape<unknown> | Required<unknown>>>
type RequiredNames<M> = { [K in keyof M]: M[K] extends Required<unknown> ? K : never }[keyof M]
type OptionalNames<M> = Exclude<keyof M, RequiredNames<M>>
type ValueOf<S> = S extends Required<infer V> ? V : S extends Shape<infer V> ? V : never

/** The value that a structure of these members decodes to. */
export type Structure<M> = { readonly [K in RequiredNames<M>]: ValueOf<M[K]> } & {
  readonly [K in OptionalNames<M>]?: ValueOf<M[K]>
}

/** The type of the requests that a shape accepts. */
export type Input<S> = S extends Shape<infer V> ? V : never

export const required = <Value>(shape: Shape<Value>): Required<Value> => ({ required: shape })

const fault = (subject: string, path: string, constraint: string): Fault =>
  `Value ${subject}at '${path}' failed to satisfy constraint: ${constraint}`
/** A request may be a megabyte; what is told of it is not. */
const MAX_SHOWN_LENGTH = 4096
const MAX_FAULTS = 100

const shown = (value: unknown): string => `'${String(value).slice(0, MAX_SHOWN_LENGTH)}' `

const JSON_TYPES: Readonly<Record<string, string>> = {
  number: 'NUMBER_VALUE',
  string: 'STRING_VALUE',
  true: 'TRUE_VALUE',
  false: 'FALSE_VALUE',
}

function misfit(value: unknown, wanted: string): JsonError {
  if (value === null) return new JsonError('SerializationException')
  const name = JSON_TYPES[typeof value === 'boolean' ? String(value) : typeof value]
  return new JsonError(
    'SerializationException',
    name === undefined
      ? `Start of ${Array.isArray(value) ? 'list' : 'structure or map'} found where not expected.`
      : `${name} can not be converted to ${wanted}`,
  )
}

interface LengthLimits {
  readonly min?: number
  readonly max?: number
}

const isWithin = (length: number, { min = 0, max = Infinity }: LengthLimits): boolean =>
  length >= min && length <= max

function checkLength(
  length: number,
  limits: LengthLimits,
  subject: string,
  path: string,
  faults: Fault[],
): void {
  if (limits.min !== undefined && length < limits.min) {
    faults.push(
      fault(subject, path, `Member must have length greater than or equal to ${limits.min}`),
    )
  }
  if (limits.max !== undefined && length > limits.max) {
    faults.push(fault(subject, path, `Member must have length less than or equal to ${limits.max}`))
  }
}

interface StringLimits extends LengthLimits {
  readonly pattern?: RegExp
  readonly patternText?: string
  readonly sensitive?: boolean
}

/**
 * @param limits - `min` and `max` in UTF-16 units; `pattern` is tested as given and reported as
 *   `patternText`, which is how the service words it when that differs from JavaScript's notation;
 *   `sensitive`: the text is never shown
 */
export function string(limits: StringLimits = {}): Shape<string> {
  const { pattern, patternText = pattern?.source, sensitive = false } = limits
  return {
    sensitive,
    read(value, path, faults) {
      if (typeof value !== 'string') throw misfit(value, 'a String')
      const subject = sensitive ? '' : shown(value)
      checkLength(value.length, limits, subject, path, faults)
      if (pattern !== undefined && !pattern.test(value)) {
        const constraint = `Member must satisfy regular expression pattern: ${patternText}`
        faults.push(fault(subject, path, constraint))
      }
      return value
    },
  }
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/**
 * Bytes, base64 on the wire; the limits count decoded bytes. What it decodes is never shown.
 * @param options - `sensitive`: AWS does not even say that it is null
 */
export function blob(limits: LengthLimits & { readonly sensitive?: boolean }): Shape<Buffer> {
  return {
    sensitive: limits.sensitive ?? false,
    read(value, path, faults) {
      if (typeof value !== 'string') throw misfit(value, 'a Blob')
      if (!BASE64.test(value)) throw new JsonError('SerializationException')
      const bytes = Buffer.from(value, 'base64')
      checkLength(bytes.length, limits, '', path, faults)
      return bytes
    },
  }
}

/** A whole number within `min` and `max`, both inclusive. */
export function integer(
  limits: { readonly min?: number; readonly max?: number } = {},
): Shape<number> {
  return {
    read(value, path, faults) {
      if (typeof value !== 'number') throw misfit(value, 'an Integer')
      const whole = Math.trunc(value)
      if (limits.min !== undefined && whole < limits.min) {
        faults.push(
          fault(
            shown(whole),
            path,
            `Member must have value greater than or equal to ${limits.min}`,
          ),
        )
      }
      if (limits.max !== undefined && whole > limits.max) {
        faults.push(
          fault(shown(whole), path, `Member must have value less than or equal to ${limits.max}`),
        )
      }
      return whole
    },
  }
}

export const boolean: Shape<boolean> = {
  read(value) {
    if (typeof value !== 'boolean') throw misfit(value, 'a Boolean')
    return value
  },
}

/** Seconds since the epoch, with or without a fraction. */
export const timestamp: Shape<Date> = {
  read(value) {
    if (typeof value !== 'number') throw misfit(value, 'a Timestamp')
    const date = new Date(Math.round(value * 1000))
    if (Number.isNaN(date.getTime())) throw new JsonError('SerializationException')
    return date
  },
}

/**
 * @param values - in the order in which the service lists them in its sentence
 * @param listed - what that sentence lists where it is something else
 */
export function oneOf<const Value extends string>(
  values: readonly Value[],
  listed: readonly string[] = values,
): Shape<Value> {
  const known = new Set<string>(values)
  return {
    read(value, path, faults) {
      if (typeof value !== 'string') throw misfit(value, 'a String')
      if (!known.has(value)) {
        faults.push(
          fault(shown(value), path, `Member must satisfy enum value set: [${listed.join(', ')}]`),
        )
      }
      return value as Value
    },
  }
}

/** A list. Null is no item: what is not sparse has none (Smithy specification, "sparse trait"). */
export function list<Value>(
  item: Shape<Value>,
  limits: LengthLimits = {},
): Shape<readonly Value[]> {
  const sensitive = item.sensitive ?? false
  return {
    sensitive,
    read(value, path, faults) {
      if (!Array.isArray(value)) throw misfit(value, 'a List')
      if (!isWithin(value.length, limits)) {
        const told = value.slice(0, MAX_SHOWN_LENGTH).map(listedItem)
        const subject = sensitive ? '' : shown(`[${told.join(', ')}]`)
        checkLength(value.length, limits, subject, path, faults)
      }
      const items: Value[] = []
      for (const [index, entry] of value.entries()) {
        if (faults.length >= MAX_FAULTS) break // it is refused in any case
        items.push(item.read(entry, `${path}.${index + 1}.member`, faults))
      }
      return items
    },
  }
}

/** Texts as they are; AWS shows structures by names that mean nothing to callers. */
const listedItem = (entry: unknown): string => (typeof entry === 'string' ? entry : '…')

/** A map of strings; without a prototype, so that no name means anything. Null is no value. */
export const stringMap: Shape<Readonly<Record<string, string>>> = {
  read(value) {
    if (!isObject(value)) throw misfit(value, 'a Map')
    const map: Record<string, string> = Object.create(null)
    for (const [name, entry] of Object.entries(value)) {
      if (typeof entry !== 'string') throw misfit(entry, 'a String')
      map[name] = entry
    }
    return map
  },
}

/** A structure; members that are not declared are ignored, as AWS ignores them. */
export function structure<const M extends Members>(members: M): Shape<Structure<M>> {
  const declared = Object.entries(members).map(([name, member]) => ({
    name,
    path: name[0]?.toLowerCase() + name.slice(1),
    shape: 'required' in member ? member.required : member,
    mandatory: 'required' in member,
  }))
  return {
    read(value, path, faults) {
      if (!isObject(value)) throw misfit(value, 'a Structure')
      const result: Record<string, unknown> = Object.create(null)
      for (const { name, path: own, shape, mandatory } of declared) {
        const at = path === '' ? own : `${path}.${own}`
        const entry = Object.hasOwn(value, name) ? value[name] : undefined
        if (entry !== undefined && entry !== null) result[name] = shape.read(entry, at, faults)
        else if (mandatory) {
          faults.push(fault(shape.sensitive ? '' : 'null ', at, 'Member must not be null'))
        }
      }
      return result as Structure<M>
    },
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * @param value - what JSON.parse gave
 * @throws JsonError SerializationException for a wrong JSON type or bad base64, ValidationException
 *   with every broken constraint of the request
 */
export function decode<Value>(shape: Shape<Value>, value: unknown): Value {
  const faults: Fault[] = []
  const result = shape.read(value, '', faults)
  if (faults.length > 0) throw new JsonError('ValidationException', validationText(faults))
  return result
}

const validationText = (faults: readonly Fault[]): string =>
  `${faults.length} validation error${faults.length === 1 ? '' : 's'} detected: ${faults.join('; ')}`
