/**
 * A list of values as bytes, in one way only, for use as AAD: two lists give the same bytes exactly
 * when they are the same list. Each field is
 *
 *   kind 1 (01 text, 02 number, 03 bytes) | length of the value u32be | value
 *
 * Text is UTF-8, not normalised (text.ts); a number is u64be. The layout is frozen.
 */
import { encodeText } from './text.ts'

const HEADER_LENGTH = 5
const NUMBER_LENGTH = 8

/**
 * @param fields - numbers must be whole, from 0 to 2^53 - 1
 * @throws RangeError when a number is another
 */
export const encodeFields = (...fields: (string | number | Uint8Array)[]): Buffer =>
  Buffer.concat(fields.map(encodeField))

function encodeField(field: string | number | Uint8Array): Buffer {
  switch (typeof field) {
    case 'string':
      return withHeader(1, encodeText(field))
    case 'number':
      return withHeader(2, encodeNumber(field))
    default:
      return withHeader(3, field)
  }
}

function withHeader(kind: 1 | 2 | 3, value: Uint8Array): Buffer {
  const field = Buffer.allocUnsafe(HEADER_LENGTH + value.length)
  field[0] = kind
  field.writeUInt32BE(value.length, 1)
  field.set(value, HEADER_LENGTH)
  return field
}

function encodeNumber(value: number): Buffer {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError('Not a whole number from 0.')
  const bytes = Buffer.allocUnsafe(NUMBER_LENGTH)
  bytes.writeBigUInt64BE(BigInt(value))
  return bytes
}
