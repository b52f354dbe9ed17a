/**
 * The chain that the blocks of a shard form: each block's hash covers the hash of the block before,
 * so a block that was altered, removed, inserted or moved breaks the chain.
 *
 *   hash = SHA-256(account, region, shard, sequence, writtenAt, previousHash, count, records)
 *
 * over the canonical encoding of crypto/encoding.ts. What is missing at a chain's end shows only
 * against a receipt or a checkpoint that was kept elsewhere.
 */
import { hash as digest, timingSafeEqual } from 'node:crypto'
import { encodeFields } from '../crypto/encoding.ts'
import type { LedgerBlockRecord } from '../store/records.ts'

/** What the first block of a shard names as the hash before it. */
export const FIRST_PREVIOUS_HASH: Uint8Array = new Uint8Array(32)

export interface Finding {
  /**
   * `altered`: the block is not the one that was hashed. `gap`: blocks before it are missing.
   * `reordered`: it stands after a later one, or twice. `forked`: it follows another block than the
   * one before it.
   */
  readonly kind: 'altered' | 'gap' | 'reordered' | 'forked'
  readonly shard: string
  readonly sequence: number
  readonly message: string
}

/** The hash of a block, 32 bytes, from everything in it but the hash itself. */
export const blockHash = (block: Omit<LedgerBlockRecord, 'hash'>): Buffer =>
  digest(
    'sha256',
    encodeFields(
      block.account,
      block.region,
      block.shard,
      block.sequence,
      block.writtenAt,
      block.previousHash,
      block.count,
      block.records,
    ),
    'buffer',
  )

/** The records of a block, each as its JSON text. */
export const blockLines = ({ records }: Pick<LedgerBlockRecord, 'records'>): string[] =>
  Buffer.from(records.buffer, records.byteOffset, records.byteLength).toString().split('\n')

/**
 * Checks one block and that it follows another.
 * @param previous - the block before it in its shard; `null` when it should be the first
 * @returns the first thing wrong, `null` when nothing is
 */
export function verifyBlock(
  block: LedgerBlockRecord,
  previous: LedgerBlockRecord | null,
): Finding | null {
  const expected = (previous?.sequence ?? 0) + 1
  if (!sameBytes(blockHash(block), block.hash))
    return finding(block, 'altered', 'The hash differs.')
  if (blockLines(block).length !== block.count)
    return finding(block, 'altered', 'The number of records differs.')
  if (block.sequence < expected) return finding(block, 'reordered', `Expected block ${expected}.`)
  if (block.sequence > expected)
    return finding(block, 'gap', `Blocks ${expected} to ${block.sequence - 1} are missing.`)
  if (!sameBytes(block.previousHash, previous?.hash ?? FIRST_PREVIOUS_HASH))
    return finding(block, 'forked', 'It follows another block.')
  if (previous !== null && block.writtenAt <= previous.writtenAt)
    return finding(block, 'reordered', 'It was written before the block that it follows.')
  return null
}

/**
 * Checks whole chains, each from its first block on.
 * @param blocks - of any number of ledgers and shards, each shard's in the order of its chain
 * @returns everything that is wrong; empty when nothing is
 */
export function verifyChain(blocks: Iterable<LedgerBlockRecord>): readonly Finding[] {
  const last = new Map<string, LedgerBlockRecord>()
  const findings: Finding[] = []
  for (const block of blocks) {
    const chain = `${block.account}#${block.region}#${block.shard}`
    const previous = last.get(chain) ?? null
    const found = verifyBlock(block, previous)
    if (found !== null) findings.push(found)
    if (previous === null || block.sequence > previous.sequence) last.set(chain, block)
  }
  return findings
}

const finding = (
  { shard, sequence }: LedgerBlockRecord,
  kind: Finding['kind'],
  message: string,
): Finding => ({ kind, shard, sequence, message })

const sameBytes = (left: Uint8Array, right: Uint8Array): boolean =>
  left.length === right.length && timingSafeEqual(left, right)
