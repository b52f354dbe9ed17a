/** Answers for programs. */

/** @returns JSON with its line end: dates in ISO 8601, bytes in base64 */
export const jsonText = (value: unknown): string => `${JSON.stringify(value, written, 2)}\n`

/** The same on one line, for answers that come one after the other. */
export const jsonLine = (value: unknown): string => `${JSON.stringify(value, written)}\n`

function written(_name: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  // Buffers come here as what their own toJSON made of them.
  if (isBufferJson(value)) return Buffer.from(value.data).toString('base64')
  return value
}

const isBufferJson = (value: unknown): value is { readonly data: readonly number[] } =>
  typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer'
