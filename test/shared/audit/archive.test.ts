import { chmod, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import type { EventBridgeEvent } from 'aws-lambda'
import { mockClient } from 'aws-sdk-client-mock'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { handler } from '../../../functions/audit/archive.ts'
import { archiveFile } from '../../../shared/audit/archive-file.ts'
import { openArchive } from '../../../shared/audit/archive-store.ts'
import {
  AUDIT_DETAIL_TYPE,
  AUDIT_SOURCE,
  type AuditDetail,
  packBlocks,
} from '../../../shared/audit/bus-entries.ts'
import { ACCOUNT, givenBlock, givenRecord, NOON, REGION } from '../../support/audit-records.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'keyhold-archive-'))
  process.env.KEYHOLD_AUDIT_ARCHIVE = `file:${join(directory, 'archive')}`
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const first = givenBlock([givenRecord({ requestId: '1' }), givenRecord({ requestId: '2' })])
const second = givenBlock([givenRecord({ requestId: '3' })], {}, first)
const detailOf = (...blocks: (typeof first)[]): AuditDetail =>
  JSON.parse(packBlocks(blocks)[0]?.detail ?? '')

const eventOf = (detail: unknown): EventBridgeEvent<typeof AUDIT_DETAIL_TYPE, unknown> => ({
  id: '1',
  version: '0',
  account: ACCOUNT,
  time: '2026-11-23T12:00:00Z',
  region: REGION,
  resources: [],
  source: AUDIT_SOURCE,
  'detail-type': AUDIT_DETAIL_TYPE,
  detail,
})

async function files(): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
}

test("the records of an event become a log file under CloudTrail's name", async () => {
  await handler(eventOf(detailOf(first, second)))
  const [path = '', ...others] = await files()
  expect(others).toEqual([])
  expect(path.slice(directory.length)).toMatch(
    /^\/archive\/AWSLogs\/111122223333\/CloudTrail\/eu-central-1\/2026\/11\/23\/111122223333_CloudTrail_eu-central-1_20261123T1200Z_[0-9a-f]{16}\.json\.gz$/,
  )
  const { Records } = JSON.parse(gunzipSync(await readFile(path)).toString())
  expect(Records.map(({ requestID }: { requestID: string }) => requestID)).toEqual(['1', '2', '3'])
})

test('the same event again writes nothing more', async () => {
  await handler(eventOf(detailOf(first)))
  const [path = ''] = await files()
  const before = await stat(path)
  await handler(eventOf(detailOf(first)))
  expect(await files()).toEqual([path])
  expect((await stat(path)).ino).toBe(before.ino)
})

test('other blocks, and other parts of a block, have files of their own', async () => {
  const detail = detailOf(first)
  const [part] = detail.blocks
  await handler(eventOf(detail))
  await handler(eventOf(detailOf(second)))
  await handler(eventOf({ ...detail, blocks: [{ ...part, part: 2, parts: 2 }] }))
  expect(await files()).toHaveLength(3)
})

test('what was archived is not replaced by an event that claims its name', async () => {
  const detail = detailOf(first)
  await handler(eventOf(detail))
  const [path = ''] = await files()
  const before = await readFile(path)
  await handler(eventOf({ ...detail, blocks: [{ ...detail.blocks[0], records: [] }] }))
  expect(await readFile(path)).toEqual(before)
})

test('only the owner may read the archive', async () => {
  await handler(eventOf(detailOf(first)))
  const [path = ''] = await files()
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  expect((await stat(join(directory, 'archive'))).mode & 0o777).toBe(0o700)
})

test('a directory that cannot be written fails the event, and leaves nothing behind', async () => {
  const file = join(directory, 'occupied')
  process.env.KEYHOLD_AUDIT_ARCHIVE = `file:${file}`
  await (await import('node:fs/promises')).writeFile(file, '')
  await expect(handler(eventOf(detailOf(first)))).rejects.toThrow()
  await chmod(file, 0o600)
  expect(await files()).toEqual([file])
})

test.each([
  ['no detail', null],
  ['another account', { ...detailOf(first), account: '../../../etc' }],
  ['another Region', { ...detailOf(first), region: '../x' }],
  ['no blocks', { ...detailOf(first), blocks: [] }],
  ['blocks that are none', { ...detailOf(first), blocks: [{}] }],
  [
    'a time that is none',
    { ...detailOf(first), blocks: [{ ...detailOf(first).blocks[0], writtenAt: 8e15 }] },
  ],
])('an event with %s is refused', async (_, detail) => {
  await expect(handler(eventOf(detail))).rejects.toThrow(TypeError)
  expect(await files()).toEqual([])
})

test('the name follows from what the file holds, and nothing else', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string(), fc.nat(), fc.nat(3), async (shard, sequence, part) => {
      const [block] = detailOf(first).blocks
      const detail = { ...detailOf(first), blocks: [{ ...block, shard, sequence, part }] }
      const { name } = await archiveFile(detail)
      expect(name).toBe((await archiveFile(structuredClone(detail))).name)
      expect(name).toMatch(/^[A-Za-z0-9/_.-]+$/)
      expect(name).not.toContain('..')
      const next = { ...detail, blocks: [{ ...block, shard, sequence: sequence + 1, part }] }
      expect(name).not.toBe((await archiveFile(next)).name)
    }),
  )
})

test.each(['', 'file:', '/archive', 's3://', 'http://bucket'])(
  'the address %j is refused',
  async (address) => {
    await expect(openArchive(address)).rejects.toThrow('KEYHOLD_AUDIT_ARCHIVE')
  },
)

test.each([
  ['s3://bucket', ''],
  ['s3://bucket/', ''],
  ['s3://bucket/logs', 'logs/'],
  ['s3://bucket/logs/', 'logs/'],
])('in %s a file is put once, below the prefix', async (address, prefix) => {
  const s3 = mockClient(S3Client)
  s3.on(PutObjectCommand).resolvesOnce({})
  const taken = Object.assign(new Error('At least one of the pre-conditions failed.'), {
    name: 'PreconditionFailed',
  })
  s3.on(PutObjectCommand).resolvesOnce({}).rejectsOnce(taken).rejects(new Error('SlowDown'))
  const archive = await openArchive(address)
  const file = await archiveFile(detailOf(first))
  await archive.put(file)
  await archive.put(file)
  expect(s3.call(0).args[0].input).toMatchObject({
    Bucket: 'bucket',
    Key: prefix + file.name,
    ContentEncoding: 'gzip',
    IfNoneMatch: '*',
  })
  await expect(archive.put(file)).rejects.toThrow('SlowDown')
  s3.restore()
})

test('the time of the newest block is in the name', async () => {
  const late = givenBlock([givenRecord()], { writtenAt: NOON + 3_661_000 })
  expect((await archiveFile(detailOf(first, late))).name).toContain('_20261123T1301Z_')
})
