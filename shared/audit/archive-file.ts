/**
 * The log files of the archive, named and shaped as CloudTrail's are (CloudTrail User Guide,
 * "CloudTrail log file examples"): gzipped JSON of `{ "Records": [ … ] }`. The name follows from
 * which blocks a file holds, so that archiving the same thing twice writes one file.
 */
import { hash } from 'node:crypto'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { type AccountId, parseAccountId, parseRegion, type Region } from '../ids.ts'
import type { AuditDetail, BlockPart } from './bus-entries.ts'

export interface ArchiveFile {
  /** `AWSLogs/<account>/CloudTrail/<region>/<yyyy>/<mm>/<dd>/<account>_CloudTrail_….json.gz` */
  readonly name: string
  readonly body: Buffer
}

/** CloudTrail's names end in sixteen characters of which no two files have the same. */
const UNIQUE_LENGTH = 16

const compress = promisify(gzip)

/**
 * @param detail - of an event of the audit bus; checked here, for anyone who may put events may say anything
 * @throws TypeError when it is not an {@link AuditDetail}
 */
export async function archiveFile(detail: unknown): Promise<ArchiveFile> {
  const { account, region, blocks } = parseDetail(detail)
  const Records = blocks.flatMap(({ records }) => records)
  return {
    name: fileName(account, region, blocks),
    body: await compress(JSON.stringify({ Records })),
  }
}

function fileName(account: AccountId, region: Region, blocks: readonly BlockPart[]): string {
  const newest = new Date(Math.max(...blocks.map(({ writtenAt }) => writtenAt))).toISOString()
  const [year, month, day] = newest.slice(0, 10).split('-')
  const time = `${year}${month}${day}T${newest.slice(11, 13)}${newest.slice(14, 16)}Z`
  const content = blocks.map(({ shard, sequence, part }) => [shard, sequence, part])
  const unique = hash('sha256', JSON.stringify(content)).slice(0, UNIQUE_LENGTH)
  return [
    `AWSLogs/${account}/CloudTrail/${region}/${year}/${month}/${day}`,
    `${account}_CloudTrail_${region}_${time}_${unique}.json.gz`,
  ].join('/')
}

function parseDetail(detail: unknown): AuditDetail {
  const { account, region, blocks } = (detail ?? {}) as Partial<Record<keyof AuditDetail, unknown>>
  const parsed = {
    account: typeof account === 'string' ? parseAccountId(account) : null,
    region: typeof region === 'string' ? parseRegion(region) : null,
    blocks: Array.isArray(blocks) && blocks.length > 0 && blocks.every(isPart) ? blocks : null,
  }
  if (parsed.account === null || parsed.region === null || parsed.blocks === null) {
    throw new TypeError('The event carries no audit records.')
  }
  return { account: parsed.account, region: parsed.region, blocks: parsed.blocks }
}

/** Times of four-digit years. */
const LAST_TIME = Date.UTC(9999, 11, 31)

function isPart(value: unknown): value is BlockPart {
  const { shard, sequence, writtenAt, part, parts, records } = (value ?? {}) as Partial<BlockPart>
  return (
    typeof shard === 'string' &&
    [sequence, writtenAt, part, parts].every((number) => Number.isSafeInteger(number)) &&
    (writtenAt as number) >= 0 &&
    (writtenAt as number) < LAST_TIME &&
    Array.isArray(records)
  )
}
