/** The little of DER that key encodings are made of (X.690, sections 8.1 and 10.1). */

export const SEQUENCE = 0x30
export const INTEGER = 0x02
export const BIT_STRING = 0x03
export const OCTET_STRING = 0x04
export const OBJECT_IDENTIFIER = 0x06
/** Constructed, context-specific: `[0]` and `[1]`. */
export const CONTEXT_0 = 0xa0
export const CONTEXT_1 = 0xa1

/**
 * @param length - bytes of content, below 2^16
 * @returns tag and length in the shortest form, to be followed by the content
 */
export function header(tag: number, length: number): Buffer {
  if (length < 0x80) return Buffer.from([tag, length])
  if (length < 0x100) return Buffer.from([tag, 0x81, length])
  return Buffer.from([tag, 0x82, length >> 8, length & 0xff])
}

export function element(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const length = content.reduce((sum, part) => sum + part.length, 0)
  return Buffer.concat([header(tag, length), ...content])
}

/** Where an element's content lies in the bytes that were read. */
export interface Element {
  readonly tag: number
  readonly start: number
  /** After the last byte of content, where the next element begins. */
  readonly end: number
}

/**
 * @param at - where the element begins
 * @returns `null` for what does not lie within the bytes, and for lengths that are indefinite or not
 *   in the shortest form
 */
export function readElement(bytes: Uint8Array, at: number): Element | null {
  const tag = bytes[at]
  const first = bytes[at + 1]
  if (tag === undefined || first === undefined) return null
  const lengthBytes = first < 0x80 ? 0 : first - 0x80
  if (first === 0x80 || lengthBytes > 2) return null
  const start = at + 2 + lengthBytes
  let length = lengthBytes === 0 ? first : 0
  for (let index = at + 2; index < start; index++) length = length * 256 + (bytes[index] ?? 0)
  if (start - at !== header(tag, length).length || start + length > bytes.length) return null
  return { tag, start, end: start + length }
}
