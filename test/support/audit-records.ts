import { buildRecord, type RecordedCall } from '../../shared/audit/build-record.ts'
import { blockHash, FIRST_PREVIOUS_HASH } from '../../shared/audit/chain.ts'
import type { AuditRecord } from '../../shared/audit/record.ts'
import { recordLine } from '../../shared/audit/record-line.ts'
import { callerOf, type UserCaller } from '../../shared/authn/caller.ts'
import type { Clock } from '../../shared/clock.ts'
import { parseAccessKeyId, parseAccountId, parseRegion, principalIdOf } from '../../shared/ids.ts'
import type { LedgerBlockRecord } from '../../shared/store/records.ts'
import { freshUser } from '../../shared/tenants/principal.ts'

const known = <Value>(value: Value | null): Value => {
  if (value === null) throw new Error('Not a valid identifier.')
  return value
}

export const ACCOUNT = known(parseAccountId('111122223333'))
export const OTHER_ACCOUNT = known(parseAccountId('444455556666'))
export const REGION = known(parseRegion('eu-central-1'))
export const NOON = Date.UTC(2026, 10, 23, 12)

export const CALLER: UserCaller = callerOf({
  record: { accessKeyId: known(parseAccessKeyId('AKIAEXAMPLEEXAMPLE00')) },
  principal: freshUser({
    account: ACCOUNT,
    principalId: principalIdOf('AIDAEXAMPLEEXAMPLE00'),
    name: 'ada',
    createdAt: 0,
  }),
  policies: [],
  boundary: null,
  operator: false,
  quotas: {},
})

export const KEY_ARN = `arn:aws:kms:${REGION}:${ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab`

/** A call of Encrypt at noon that succeeded, but for what differs. */
export const givenCall = (differs: Partial<RecordedCall> = {}): RecordedCall => ({
  caller: CALLER,
  eventTime: NOON,
  eventSource: 'kms.amazonaws.com',
  eventName: 'Encrypt',
  region: REGION,
  sourceIp: '198.51.100.7',
  userAgent: 'aws-sdk-js/3',
  requestParameters: { keyId: 'alias/payments', encryptionAlgorithm: 'SYMMETRIC_DEFAULT' },
  responseElements: null,
  requestId: 'a3f1c2de-0000-4000-8000-000000000000',
  readOnly: true,
  resources: [{ accountId: ACCOUNT, type: 'AWS::KMS::Key', ARN: KEY_ARN }],
  category: 'Management',
  ...differs,
})

export const givenRecord = (differs: Partial<RecordedCall> = {}): AuditRecord =>
  buildRecord(givenCall(differs))

/** A block that holds these records, sealed with its hash, after another one of its shard. */
export function givenBlock(
  records: readonly AuditRecord[],
  differs: Partial<LedgerBlockRecord> = {},
  previous: LedgerBlockRecord | null = null,
): LedgerBlockRecord {
  const block = {
    account: ACCOUNT,
    region: REGION,
    shard: previous?.shard ?? 'a1a1a1a1a1a1a1a1',
    sequence: (previous?.sequence ?? 0) + 1,
    writtenAt: (previous?.writtenAt ?? NOON) + 1,
    previousHash: Buffer.from(previous?.hash ?? FIRST_PREVIOUS_HASH),
    count: records.length,
    records: Buffer.from(records.map(recordLine).join('\n')),
    ...differs,
  }
  return { ...block, hash: blockHash(block) }
}

/** A clock that stands where it was set. */
export const givenClock = (time = NOON): Clock & { time: number } => ({
  time,
  now() {
    return this.time
  },
})
