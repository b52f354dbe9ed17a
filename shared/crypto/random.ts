/**
 * Random bytes from the CSPRNG of node:crypto. Each draw costs a system library call whatever its
 * size, and every message needs a few dozen bytes, so small requests are cut from a larger block.
 */
import { randomFillSync } from 'node:crypto'

const BLOCK_LENGTH = 4096
const LARGEST_CUT = 256

let block: Buffer | null = null
let used = BLOCK_LENGTH

/**
 * Bytes that nobody was given before. The result is an allocation of its own, so wiping it wipes
 * every copy: the block forgets what it hands out.
 * The first block is drawn by the first call, not at import: a process image taken at start-up
 * holds no bytes that its clones would share.
 * @param length - in bytes
 */
export function freshBytes(length: number): Buffer {
  if (length > LARGEST_CUT) return randomFillSync(Buffer.allocUnsafeSlow(length))
  const source = blockWith(length)
  const bytes = Buffer.allocUnsafeSlow(length)
  source.copy(bytes, 0, used, used + length)
  source.fill(0, used, used + length)
  used += length
  return bytes
}

/** The block, drawn anew when fewer than `length` bytes are left; the rest is thrown away. */
function blockWith(length: number): Buffer {
  block ??= Buffer.allocUnsafeSlow(BLOCK_LENGTH)
  if (used + length > BLOCK_LENGTH) {
    randomFillSync(block)
    used = 0
  }
  return block
}
