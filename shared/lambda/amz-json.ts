/** The values of AWS JSON 1.1 on the wire: bytes are base64, dates are seconds since the epoch. */
import { JsonError } from '../errors.ts'

export const AMZ_JSON = 'application/x-amz-json-1.1'

/**
 * @param body - the exact bytes of the request; empty means `{}`
 * @throws JsonError SerializationException when they are not UTF-8 JSON
 */
export function parseJson(body: Buffer): unknown {
  if (body.length === 0) return {}
  try {
    return JSON.parse(utf8.decode(body))
  } catch {
    throw new JsonError('SerializationException')
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** @returns the JSON text of an output; the empty text for an operation that has no output */
export const encodeOutput = (output: unknown): string =>
  output === undefined ? '' : JSON.stringify(plain(output))

function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
  }
  if (value instanceof Date) return value.getTime() / 1000
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  const result: Record<string, unknown> = Object.create(null)
  for (const [name, entry] of Object.entries(value)) {
    if (entry !== undefined) result[name] = plain(entry)
  }
  return result
}
