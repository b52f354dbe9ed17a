import { expect, test } from 'vitest'
import { buildServiceEvent } from '../../../shared/audit/build-record.ts'
import { eventOf, matches } from '../../../shared/audit/event.ts'
import { Ledger } from '../../../shared/audit/ledger.ts'
import { recordServiceEvent } from '../../../shared/audit/service-event.ts'
import { parseKeyId } from '../../../shared/ids.ts'
import { ACCOUNT, givenClock, KEY_ARN, NOON, REGION } from '../../support/audit-records.ts'
import { givenLedger } from '../../support/memory-ledger.ts'

const keyId = parseKeyId('1234abcd-12ab-34cd-56ef-1234567890ab') as NonNullable<
  ReturnType<typeof parseKeyId>
>
const key = { account: ACCOUNT, region: REGION, keyId }
const rotated = { eventName: 'RotateKey', key, occurrence: 'a', details: { keyId } } as const

test('A service event is recorded as CloudTrail records one, without a caller', () => {
  expect(buildServiceEvent(rotated, NOON)).toEqual({
    eventVersion: '1.11',
    userIdentity: { accountId: ACCOUNT, invokedBy: 'AWS Internal' },
    eventTime: '2026-11-23T12:00:00Z',
    eventSource: 'kms.amazonaws.com',
    eventName: 'RotateKey',
    awsRegion: REGION,
    sourceIPAddress: 'AWS Internal',
    userAgent: 'AWS Internal',
    requestParameters: null,
    responseElements: null,
    eventID: expect.stringMatching(
      /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    ),
    readOnly: false,
    resources: [{ accountId: ACCOUNT, type: 'AWS::KMS::Key', ARN: KEY_ARN }],
    eventType: 'AwsServiceEvent',
    managementEvent: true,
    recipientAccountId: ACCOUNT,
    serviceEventDetails: { keyId },
    eventCategory: 'Management',
  })
})

test('The same event has the same id whenever it is recorded, and others have another', () => {
  const idOf = (differs: object): string =>
    buildServiceEvent({ ...rotated, ...differs }, Date.now()).eventID
  expect(idOf({})).toBe(buildServiceEvent(rotated, NOON).eventID)
  const others = [
    { occurrence: 'b' },
    { eventName: 'DeleteKey' },
    { key: { ...key, account: '444455556666' } },
  ]
  expect(new Set([{}, ...others].map(idOf)).size).toBe(4)
})

test('It lies in the ledger of the key’s owner, dated by the real time', async () => {
  const blocks = givenLedger()
  const clock = givenClock()
  const ledger = new Ledger({ blocks, clock })
  const receipt = await recordServiceEvent({ ledger, wallClock: clock }, rotated)
  expect(receipt).toMatchObject({ account: ACCOUNT, region: REGION })
  const [block] = blocks.stored
  expect(JSON.parse(Buffer.from(block?.records ?? []).toString())).toEqual(
    buildServiceEvent(rotated, NOON),
  )
})

test('LookupEvents shows it without a user name, and finds it by key and name', () => {
  const record = buildServiceEvent(rotated, NOON)
  const shown = eventOf(record, JSON.stringify(record))
  expect(shown).toMatchObject({ EventName: 'RotateKey', ReadOnly: 'false' })
  expect(Object.keys(shown)).not.toContain('Username')
  expect(Object.keys(shown)).not.toContain('AccessKeyId')
  expect(matches(record, { key: 'ResourceName', value: KEY_ARN })).toBe(true)
  expect(matches(record, { key: 'Username', value: 'undefined' })).toBe(false)
})
