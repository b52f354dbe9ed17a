/**
 * Reading CBOR (RFC 8949) from callers: maps come as Map, byte strings as Uint8Array, and what could
 * be read in two ways is not read at all. The reader is loaded when it is first needed.
 */

const options = {
  allowIndefinite: false,
  allowUndefined: false,
  allowInfinity: false,
  allowNaN: false,
  allowBigInt: false,
  useMaps: true,
  rejectDuplicateMapKeys: true,
} as const

/**
 * @returns the one item that the bytes are; `undefined` when they are anything else, bytes after the
 *   item included
 */
export async function readCbor(bytes: Uint8Array): Promise<unknown> {
  const { decode } = await import('cborg')
  try {
    return decode(bytes, options)
  } catch {
    return undefined // also a stack that overflows: nesting has no other limit than the length
  }
}
