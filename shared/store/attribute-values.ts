/**
 * The codecs between records and items, whose attributes are the plain values of the SDK's document
 * client. A codec that parses refuses what has not the form it encodes, so that no record ever has a
 * missing field. (DynamoDB Developer Guide, "Supported data types and naming rules".)
 */
import { RowMalformed } from './repositories.ts'

/** What this room writes; what it reads may be anything else, and a codec finds that out. */
export type AttributeValue = string | number | Uint8Array | boolean

export type Item = { readonly [attribute: string]: AttributeValue }

/** One attribute, both ways. `parse` gets `undefined` when the item has no such attribute. */
export interface Codec<Value> {
  encode(value: Value): AttributeValue | undefined
  /** @throws RowMalformed naming the attribute, never its value */
  parse(attribute: AttributeValue | undefined, name: string): Value
}

/** A whole record as attributes of an item. */
export interface RecordCodec<Value> {
  encode(value: Value): Item
  /** @throws RowMalformed */
  parse(item: Item): Value
}

const malformed = (name: string): RowMalformed =>
  new RowMalformed(`The attribute ${name} is missing or malformed.`)

/** Text, taken as it is. */
export const text: Codec<string> = {
  encode: (value) => value,
  parse(attribute, name) {
    if (typeof attribute !== 'string') throw malformed(name)
    return attribute
  },
}

/** Text that a parser of shared/ids.ts (or the like) mints; `null` from it refuses the row. */
export const parsed = <Value extends string>(
  parse: (value: string) => Value | null,
): Codec<Value> => ({
  encode: text.encode,
  parse(attribute, name) {
    const value = parse(text.parse(attribute, name))
    if (value === null) throw malformed(name)
    return value
  },
})

/** One of a few words. */
export const oneOf = <const Word extends string>(...words: readonly Word[]): Codec<Word> =>
  parsed((value) => words.find((word) => word === value) ?? null)

/** A safe integer: counts, versions, milliseconds since the epoch. */
export const integer: Codec<number> = {
  encode: (value) => value,
  parse(attribute, name) {
    if (typeof attribute !== 'number' || !Number.isSafeInteger(attribute)) throw malformed(name)
    return attribute
  },
}

export const flag: Codec<boolean> = {
  encode: (value) => value,
  parse(attribute, name) {
    if (typeof attribute !== 'boolean') throw malformed(name)
    return attribute
  },
}

export const bytes: Codec<Uint8Array> = {
  encode: (value) => value,
  parse(attribute, name) {
    if (!(attribute instanceof Uint8Array)) throw malformed(name)
    return viewOf(attribute)
  },
}

/** The same memory as a `Buffer`. */
const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength)

/** Base64 of a view of bytes, without copying them. */
export const encodeBase64 = (value: Uint8Array): string => viewOf(value).toString('base64')

/** `null` is an attribute that is not there. */
export const nullable = <Value>(codec: Codec<Value>): Codec<Value | null> => ({
  encode: (value) => (value === null ? undefined : codec.encode(value)),
  parse: (attribute, name) => (attribute === undefined ? null : codec.parse(attribute, name)),
})

/** A value that rows did not always have; those without it are read as if they had the default. */
export const since = <Value>(codec: Codec<Value>, before: Value): Codec<Value> => ({
  encode: codec.encode,
  parse: (attribute, name) => (attribute === undefined ? before : codec.parse(attribute, name)),
})

/**
 * A value that DynamoDB never looks into, as JSON text: a fraction of the size and of the work of
 * nested attribute values, and a name like `__proto__` is a name like any other.
 */
export const json = <Value>(is: (value: unknown) => value is Value): Codec<Value> => ({
  encode: (value) => JSON.stringify(value),
  parse(attribute, name) {
    const value = parseJson(text.parse(attribute, name))
    if (!is(value)) throw malformed(name)
    return value
  },
})

/** A record, attribute by attribute, in the order of its fields. */
export function record<Value extends object>(
  fields: {
    readonly [Name in keyof Value]-?: Codec<Value[Name]>
  },
): RecordCodec<Value> {
  const names = Object.keys(fields) as (keyof Value & string)[]
  return {
    encode(value) {
      const item: Record<string, AttributeValue> = {}
      for (const name of names) {
        const attribute = fields[name].encode(value[name])
        if (attribute !== undefined) item[name] = attribute
      }
      return item
    },
    parse(item) {
      const value: Partial<Value> = {}
      for (const name of names) value[name] = fields[name].parse(item[name], name)
      return value as Value
    },
  }
}

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Names to texts, as encryption contexts, headers and checksums are. */
export const isTextMap = (value: unknown): value is Readonly<Record<string, string>> =>
  isRecord(value) && Object.values(value).every((entry) => typeof entry === 'string')

/** A list whose every entry passes the guard. */
export const isListOf =
  <Entry>(is: (value: unknown) => value is Entry) =>
  (value: unknown): value is readonly Entry[] =>
    Array.isArray(value) && value.every(is)

function parseJson(value: string): unknown {
  try {
    return JSON.parse(value)
  } catch {
    return undefined
  }
}
