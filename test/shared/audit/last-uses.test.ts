import { expect, test } from 'vitest'
import { buildServiceEvent } from '../../../shared/audit/build-record.ts'
import { lastUses } from '../../../shared/audit/last-uses.ts'
import type { AuditRecord } from '../../../shared/audit/record.ts'
import {
  ACCOUNT,
  givenBlock,
  givenRecord,
  KEY_ARN,
  NOON,
  OTHER_ACCOUNT,
  REGION,
} from '../../support/audit-records.ts'

const OTHER_ARN = KEY_ARN.replace('1234abcd', '4321dcba')
const resource = (ARN: string) => ({ accountId: ACCOUNT, type: 'AWS::KMS::Key', ARN })
const using = (eventName: string, differs: Parameters<typeof givenRecord>[0] = {}) =>
  givenRecord({ eventName, ...differs })
const usesIn = (...records: AuditRecord[]) => lastUses([givenBlock(records)])
const named = (arn: string) => ({
  account: arn.split(':')[4],
  region: arn.split(':')[3],
  keyId: arn.split('/')[1],
})

test('A use tells operation, time, event and request', () => {
  const record = using('Sign', { requestId: 'r-1' })
  expect(lastUses([givenBlock([record], { writtenAt: NOON + 17 })])).toEqual([
    {
      key: { account: ACCOUNT, region: REGION, keyId: KEY_ARN.split('/')[1] },
      usage: {
        operation: 'Sign',
        at: NOON + 17,
        eventId: record.eventID,
        requestId: 'r-1',
      },
    },
  ])
})

test('The newest of several uses counts, in whatever order their blocks come', () => {
  const first = givenBlock([using('Encrypt'), using('Decrypt')])
  const second = givenBlock([using('GenerateMac'), using('VerifyMac')], {}, first)
  for (const blocks of [
    [first, second],
    [second, first],
  ]) {
    const uses = lastUses(blocks)
    expect(uses.map(({ usage }) => usage.operation)).toEqual(['VerifyMac'])
  }
})

test('Keys are told apart, and ReEncrypt counts for both of its keys', () => {
  const uses = usesIn(
    using('ReEncrypt', { resources: [resource(KEY_ARN), resource(OTHER_ARN)] }),
    using('Decrypt', { resources: [resource(OTHER_ARN)] }),
  )
  expect(uses).toHaveLength(2)
  expect(uses).toContainEqual(
    expect.objectContaining({
      key: named(KEY_ARN),
      usage: expect.objectContaining({ operation: 'ReEncrypt' }),
    }),
  )
  expect(uses).toContainEqual(
    expect.objectContaining({
      key: named(OTHER_ARN),
      usage: expect.objectContaining({ operation: 'Decrypt' }),
    }),
  )
})

test('A key of another account, named in the caller’s ledger, is its owner’s', () => {
  const arn = KEY_ARN.replace(ACCOUNT, OTHER_ACCOUNT)
  expect(usesIn(using('Encrypt', { resources: [resource(arn)] }))[0]?.key.account).toBe(
    OTHER_ACCOUNT,
  )
})

test('What S3 does for its callers counts', () => {
  expect(usesIn(using('GenerateDataKey', { via: 's3' }))).toHaveLength(1)
})

const error = { code: 'DryRunOperationException', message: 'dry' }
test.for<readonly [string, AuditRecord]>([
  ['a refused call', using('Encrypt', { error: { ...error, code: 'DisabledException' } })],
  ['a dry run', using('Encrypt', { error })],
  ['reading settings', using('DescribeKey')],
  ['GetPublicKey', using('GetPublicKey')],
  ['GenerateRandom, which uses no key', using('GenerateRandom', { resources: [] })],
  ['an operation of S3 of that name', using('Encrypt', { eventSource: 's3.amazonaws.com' })],
  [
    'a service event',
    buildServiceEvent(
      { eventName: 'RotateKey', key: named(KEY_ARN) as never, occurrence: '' },
      NOON,
    ),
  ],
  ['a malformed ARN', using('Encrypt', { resources: [resource('arn:aws:kms:r:1:key/nonsense')] })],
])('%s is no use', ([, record]) => {
  expect(usesIn(record)).toEqual([])
})

test('A use that comes before what is none is found', () => {
  expect(usesIn(using('Encrypt'), using('DescribeKey'), using('Decrypt', { error }))).toMatchObject(
    [{ usage: { operation: 'Encrypt' } }],
  )
})

test('A record whose request looks like a resource hides nobody', () => {
  const uses = usesIn(
    using('Encrypt', { requestParameters: { encryptionContext: { ARN: OTHER_ARN } } }),
    using('Decrypt', { resources: [resource(OTHER_ARN)] }),
  )
  expect(uses.map(({ usage }) => usage.operation).sort()).toEqual(['Decrypt', 'Encrypt'])
})
