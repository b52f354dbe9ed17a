/**
 * When keys were last used, as the ledger tells: a successful call of a cryptographic operation, by
 * whoever made it (AWS KMS API reference, "GetKeyLastUsage"). Calls with DryRun are recorded as
 * errors, so they do not count.
 */
import { parseAccountId, parseKeyId, parseRegion } from '../ids.ts'
import type { LastUsageRecord, LedgerBlockRecord } from '../store/records.ts'
import type { KeyName } from '../store/repositories.ts'
import { blockLines } from './chain.ts'
import type { AuditRecord, CallRecord } from './record.ts'

export interface LastUse {
  readonly key: KeyName
  readonly usage: LastUsageRecord
}

/** API reference, "KeyLastUsageData". */
const OPERATIONS: ReadonlySet<string> = new Set([
  'Decapsulate',
  'Decrypt',
  'DeriveSharedSecret',
  'Encapsulate',
  'Encrypt',
  'GenerateDataKey',
  'GenerateDataKeyPair',
  'GenerateDataKeyPairWithoutPlaintext',
  'GenerateDataKeyWithoutPlaintext',
  'GenerateMac',
  'ReEncrypt',
  'Sign',
  'Verify',
  'VerifyMac',
])

const KEY_RESOURCE = /"ARN":"(arn:[^"]+:key\/[^"]+)"/g
const KEY_ARN = /^arn:[^:]+:kms:([^:]+):([^:]+):key\/(.+)$/

/**
 * @param blocks - of any ledgers, in any order
 * @returns the last use of each key that they tell of
 */
export function lastUses(blocks: readonly LedgerBlockRecord[]): readonly LastUse[] {
  const found = new Map<string, LastUse | null>()
  for (const block of blocks.toSorted((one, other) => other.writtenAt - one.writtenAt)) {
    for (const line of blockLines(block).toReversed()) {
      if (tellsOfOthers(line, found)) note(JSON.parse(line), block.writtenAt, found)
    }
  }
  return [...found.values()].filter((use) => use !== null)
}

/**
 * Whether a record may tell of keys whose last use is not known yet. Most tell of the same few keys,
 * and are not read any further.
 */
function tellsOfOthers(line: string, found: ReadonlyMap<string, unknown>): boolean {
  for (const [, arn = ''] of line.matchAll(KEY_RESOURCE)) if (!found.has(arn)) return true
  return false
}

function note(record: AuditRecord, at: number, found: Map<string, LastUse | null>): void {
  if (!isUse(record)) return
  const { eventName: operation, eventID: eventId, requestID: requestId, resources = [] } = record
  for (const { ARN } of resources) {
    if (found.has(ARN)) continue
    const key = keyNamed(ARN)
    found.set(ARN, key && { key, usage: { operation, at, eventId, requestId } })
  }
}

const isUse = (record: AuditRecord): record is CallRecord =>
  record.eventType === 'AwsApiCall' &&
  record.eventSource === 'kms.amazonaws.com' &&
  record.errorCode === undefined &&
  OPERATIONS.has(record.eventName)

function keyNamed(arn: string): KeyName | null {
  const [, regionText = '', accountText = '', idText = ''] = KEY_ARN.exec(arn) ?? []
  const region = parseRegion(regionText)
  const account = parseAccountId(accountText)
  const keyId = parseKeyId(idText)
  return region === null || account === null || keyId === null ? null : { account, region, keyId }
}
