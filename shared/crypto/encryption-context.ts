/**
 * The encryption context as bytes, for use as AAD (AWS KMS developer guide, "Encryption context":
 * order does not matter, names and values are matched exactly, an empty context is as good as none).
 * For each pair, in the order of the names' bytes:
 *
 *   length of the name u32be | name | length of the value u32be | value
 *
 * Text is UTF-8, not normalised (text.ts). The empty context is no bytes. The layout is frozen.
 */
import { encodeText } from './text.ts'

const LENGTH_LENGTH = 4
const empty = Buffer.alloc(0)

/** @returns the same bytes for two contexts exactly when they hold the same pairs */
export function encodeEncryptionContext(context: Readonly<Record<string, string>>): Buffer {
  const entries = Object.entries(context)
  if (entries.length === 0) return empty
  const pairs = entries.map(([name, value]) => ({
    name: encodeText(name),
    value: encodeText(value),
  }))
  // Bytes, since sorting strings goes by UTF-16 code units, which is another order.
  pairs.sort((one, other) => Buffer.compare(one.name, other.name))
  return Buffer.concat(
    pairs.flatMap(({ name, value }) => [lengthOf(name), name, lengthOf(value), value]),
  )
}

function lengthOf(bytes: Buffer): Buffer {
  const length = Buffer.allocUnsafe(LENGTH_LENGTH)
  length.writeUInt32BE(bytes.length)
  return length
}
