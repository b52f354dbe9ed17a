/**
 * The CRC of joined data from the CRCs of its pieces, without the data (the method of zlib's
 * `crc32_combine`: M. Adler, 2021). The CRC of a piece is carried over the bytes that follow it by a
 * multiplication with x^(8·length) modulo the polynomial, over GF(2), in reflected bit order.
 */

interface Crc {
  readonly width: bigint
  /** Reflected. */
  readonly polynomial: bigint
}

/** Polynomials as in crc32c.ts and crc64-nvme.ts; CRC-32 is that of ISO 3309. */
const crcs = {
  CRC32: { width: 32n, polynomial: 0xedb88320n },
  CRC32C: { width: 32n, polynomial: 0x82f63b78n },
  CRC64NVME: { width: 64n, polynomial: 0x9a6c9329ac4bc9b5n },
} as const satisfies Record<string, Crc>

export type CombinableCrc = keyof typeof crcs

/** Whether the checksum of a whole can be had from those of its parts. */
export const isCombinable = (name: string): name is CombinableCrc => Object.hasOwn(crcs, name)

export interface CrcPiece {
  /** Base64 of the big-endian CRC. */
  readonly checksum: string
  /** Bytes of data. */
  readonly size: number
}

/** @returns the CRC of the pieces joined in their order, in base64; of nothing, when there are none */
export function combineCrcs(name: CombinableCrc, pieces: readonly CrcPiece[]): string {
  const crc = crcs[name]
  const shifts = new Map<number, bigint>()
  let combined = 0n
  for (const { checksum, size } of pieces) {
    const shift = shifts.get(size) ?? powerOfX(crc, 8n * BigInt(size))
    shifts.set(size, shift) // all parts of an upload but the last are usually of one size
    combined = multiply(crc, shift, combined) ^ decode(checksum)
  }
  return encode(crc, combined)
}

/** The product of two polynomials modulo that of the CRC. */
function multiply({ width, polynomial }: Crc, a: bigint, b: bigint): bigint {
  let product = 0n
  let shifted = b
  for (let bit = width - 1n; bit >= 0n; bit--) {
    if ((a >> bit) & 1n) product ^= shifted
    shifted = shifted & 1n ? (shifted >> 1n) ^ polynomial : shifted >> 1n
  }
  return product
}

function powerOfX(crc: Crc, exponent: bigint): bigint {
  const one = 1n << (crc.width - 1n)
  let result = one
  let square = one >> 1n // x
  for (let left = exponent; left > 0n; left >>= 1n) {
    if (left & 1n) result = multiply(crc, square, result)
    square = multiply(crc, square, square)
  }
  return result
}

const decode = (checksum: string): bigint =>
  BigInt(`0x${Buffer.from(checksum, 'base64').toString('hex')}`)

const encode = ({ width }: Crc, value: bigint): string =>
  Buffer.from(value.toString(16).padStart(Number(width) / 4, '0'), 'hex').toString('base64')
