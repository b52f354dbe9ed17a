import { expect, test } from 'vitest'
import { buildRecord } from '../../../shared/audit/build-record.ts'
import { ACCOUNT, CALLER, givenCall, KEY_ARN, NOON, REGION } from '../../support/audit-records.ts'

test('a call that succeeded has a record in the shape of CloudTrail', () => {
  const record = buildRecord(givenCall())
  expect(record).toEqual({
    eventVersion: '1.11',
    userIdentity: {
      type: 'IAMUser',
      principalId: CALLER.principalId,
      arn: CALLER.arn,
      accountId: ACCOUNT,
      accessKeyId: CALLER.accessKeyId,
      userName: 'ada',
    },
    eventTime: '2026-11-23T12:00:00Z',
    eventSource: 'kms.amazonaws.com',
    eventName: 'Encrypt',
    awsRegion: REGION,
    sourceIPAddress: '198.51.100.7',
    userAgent: 'aws-sdk-js/3',
    requestParameters: { keyId: 'alias/payments', encryptionAlgorithm: 'SYMMETRIC_DEFAULT' },
    responseElements: null,
    requestID: 'a3f1c2de-0000-4000-8000-000000000000',
    eventID: record.eventID,
    readOnly: true,
    resources: [{ accountId: ACCOUNT, type: 'AWS::KMS::Key', ARN: KEY_ARN }],
    eventType: 'AwsApiCall',
    managementEvent: true,
    recipientAccountId: ACCOUNT,
    eventCategory: 'Management',
  })
  expect(record.eventID).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
})

test('every record has an event id of its own', () => {
  const ids = Array.from({ length: 1000 }, () => buildRecord(givenCall()).eventID)
  expect(new Set(ids).size).toBe(1000)
})

test.each([
  ['AccessDeniedException', 'AccessDenied'],
  ['AccessDenied', 'AccessDenied'],
  ['DisabledException', 'DisabledException'],
  ['DryRunOperationException', 'DryRunOperationException'],
])('the refusal %s is shown as %s', (code, shown) => {
  const record = buildRecord(givenCall({ error: { code, message: 'No.' } }))
  expect(record).toMatchObject({ errorCode: shown, errorMessage: 'No.' })
})

test('a refusal without a message has none in the record', () => {
  const error = { code: 'InvalidCiphertextException', message: undefined }
  expect(buildRecord(givenCall({ error }))).not.toHaveProperty('errorMessage')
})

test('a call that a service made on behalf of the caller names both', () => {
  const { userIdentity } = buildRecord(givenCall({ via: 's3' }))
  expect(userIdentity).toMatchObject({ userName: 'ada', invokedBy: 's3.amazonaws.com' })
})

test('a data event is no management event', () => {
  const record = buildRecord(givenCall({ category: 'Data' }))
  expect(record).toMatchObject({ eventCategory: 'Data', managementEvent: false })
})

test('a call that named no key has no resources', () => {
  expect(buildRecord(givenCall({ resources: [] }))).not.toHaveProperty('resources')
})

test.each([
  [NOON + 999, '2026-11-23T12:00:00Z'],
  [NOON + 1000, '2026-11-23T12:00:01Z'],
  [NOON - 1, '2026-11-23T11:59:59Z'],
])('the time %i is shown as %s', (eventTime, shown) => {
  expect(buildRecord(givenCall({ eventTime })).eventTime).toBe(shown)
})
