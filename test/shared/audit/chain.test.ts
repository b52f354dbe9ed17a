import fc from 'fast-check'
import { expect, test } from 'vitest'
import { blockHash, verifyBlock, verifyChain } from '../../../shared/audit/chain.ts'
import type { LedgerBlockRecord } from '../../../shared/store/records.ts'
import { givenBlock, givenRecord, OTHER_ACCOUNT } from '../../support/audit-records.ts'

function givenChain(length: number, shard = 'a1a1a1a1a1a1a1a1'): LedgerBlockRecord[] {
  const blocks: LedgerBlockRecord[] = []
  for (let at = 0; at < length; at++) {
    const records = [givenRecord({ requestId: `${at}-0` }), givenRecord({ requestId: `${at}-1` })]
    blocks.push(givenBlock(records, { shard }, blocks.at(-1) ?? null))
  }
  return blocks
}

const resealed = (block: LedgerBlockRecord): LedgerBlockRecord => ({
  ...block,
  hash: blockHash(block),
})
const kinds = (blocks: readonly LedgerBlockRecord[]) => verifyChain(blocks).map(({ kind }) => kind)

test('a chain as it was written has nothing wrong', () => {
  expect(verifyChain(givenChain(5))).toEqual([])
})

test('the hash of a block is the frozen one', () => {
  const block = {
    account: '111122223333',
    region: 'eu-central-1',
    shard: '00112233aabbccdd',
    sequence: 1,
    writtenAt: 1795435200000,
    previousHash: new Uint8Array(32),
    count: 2,
    records: Buffer.from('{"a":1}\n{"b":2}'),
  } as unknown as LedgerBlockRecord
  expect(blockHash(block).toString('hex')).toMatchInlineSnapshot(
    `"62e471d8133afa57a462d99b5298f9414c6d1d74c877c6c69f110ad8592780e6"`,
  )
})

test('chains of several shards and accounts are checked each for itself', () => {
  const [left, right] = [givenChain(3, 'a'), givenChain(3, 'b')]
  const mixed = left.flatMap((block, at) => [block, right[at] as LedgerBlockRecord])
  expect(verifyChain(mixed)).toEqual([])
})

test.each([1, 2, 3])('a deleted block %i of five is a gap', (at) => {
  expect(kinds(givenChain(5).toSpliced(at, 1))).toEqual(['gap'])
})

test('a missing first block is a gap', () => {
  expect(kinds(givenChain(3).slice(1))).toEqual(['gap'])
})

test('two blocks that changed places are found', () => {
  const [first, second, third, fourth] = givenChain(4) as [
    LedgerBlockRecord,
    LedgerBlockRecord,
    LedgerBlockRecord,
    LedgerBlockRecord,
  ]
  expect(kinds([first, third, second, fourth])).toEqual(['gap', 'reordered'])
})

test('a repeated block is found', () => {
  const [first, second] = givenChain(2) as [LedgerBlockRecord, LedgerBlockRecord]
  expect(kinds([first, first, second])).toEqual(['reordered'])
})

test('an altered block is found, and sealing it again breaks the block after it', () => {
  const chain = givenChain(3)
  const altered = { ...(chain[1] as LedgerBlockRecord), records: Buffer.from('{"a":1}\n{"b":2}') }
  expect(kinds(chain.with(1, altered))).toEqual(['altered'])
  expect(kinds(chain.with(1, resealed(altered)))).toEqual(['forked'])
})

test('an inserted block breaks the chain', () => {
  const chain = givenChain(3)
  const inserted = givenBlock([givenRecord()], {}, chain[0] as LedgerBlockRecord)
  expect(kinds(chain.toSpliced(1, 0, inserted))).toEqual(['reordered', 'forked'])
})

test('a count that is not the number of records is found', () => {
  const block = givenChain(1)[0] as LedgerBlockRecord
  expect(verifyBlock(resealed({ ...block, count: 3 }), null)?.kind).toBe('altered')
})

test('a block dated before the one that it follows is found', () => {
  const [first, second] = givenChain(2) as [LedgerBlockRecord, LedgerBlockRecord]
  const earlier = resealed({ ...second, writtenAt: first.writtenAt })
  expect(verifyBlock(earlier, first)?.kind).toBe('reordered')
})

test('every single changed field or byte is found', () => {
  const chain = givenChain(3)
  const change = fc.oneof(
    fc.constant({ account: OTHER_ACCOUNT }),
    fc.record({ shard: fc.string() }),
    fc.record({ sequence: fc.nat() }),
    fc.record({ writtenAt: fc.nat() }),
    fc.record({ count: fc.nat() }),
    fc.record({ previousHash: fc.uint8Array({ minLength: 32, maxLength: 32 }) }),
    fc.record({ hash: fc.uint8Array({ maxLength: 40 }) }),
    fc.record({ records: fc.uint8Array() }),
  )
  fc.assert(
    fc.property(fc.nat(2), change, (at, differs) => {
      const original = chain[at] as LedgerBlockRecord
      const same = Object.entries(differs).every(
        ([name, value]) => original[name as keyof LedgerBlockRecord] === value,
      )
      fc.pre(!same)
      expect(verifyChain(chain.with(at, { ...original, ...differs })).length).toBeGreaterThan(0)
    }),
  )
})

test('any deletion, exchange or repetition within a chain is found', () => {
  const chain = givenChain(8)
  fc.assert(
    fc.property(fc.shuffledSubarray(chain, { minLength: 1 }), (blocks) => {
      const isPrefix = blocks.every((block, at) => block === chain[at])
      expect(verifyChain(blocks).length === 0).toBe(isPrefix)
    }),
  )
})
