import { expect, test } from 'vitest'
import { buildRecord } from '../../../shared/audit/build-record.ts'
import type { RoleCaller } from '../../../shared/authn/caller.ts'
import { principalIdOf } from '../../../shared/ids.ts'
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

const ROLE_ID = principalIdOf('AROAEXAMPLEEXAMPLE00')
const SESSION = {
  issuedAt: NOON - 60_000,
  expiresAt: NOON + 60_000,
  sourceIdentity: null,
  federated: null,
  transitiveTags: [],
}
const ASSUMED: RoleCaller = {
  ...CALLER,
  kind: 'AssumedRole',
  arn: `arn:aws:sts::${ACCOUNT}:assumed-role/Deploy/alice`,
  principalArn: `arn:aws:iam::${ACCOUNT}:role/team/Deploy`,
  principalId: ROLE_ID,
  userId: `${ROLE_ID}:alice`,
  roleName: 'Deploy',
  sessionName: 'alice',
  session: SESSION,
}

test('a session of a role is shown with the role that it is of, and when it began', () => {
  expect(buildRecord(givenCall({ caller: ASSUMED })).userIdentity).toEqual({
    type: 'AssumedRole',
    principalId: `${ROLE_ID}:alice`,
    arn: ASSUMED.arn,
    accountId: ACCOUNT,
    accessKeyId: CALLER.accessKeyId,
    sessionContext: {
      sessionIssuer: {
        type: 'Role',
        principalId: ROLE_ID,
        arn: ASSUMED.principalArn,
        accountId: ACCOUNT,
        userName: 'Deploy',
      },
      attributes: { creationDate: '2026-11-23T11:59:00Z', mfaAuthenticated: 'false' },
    },
  })
})

test('a session says who vouched for it, and whom it goes back to', () => {
  const federated = { provider: 'oidc.example.com', subject: 's', audience: 'a' }
  const session = { ...SESSION, federated, sourceIdentity: 'ann' }
  expect(buildRecord(givenCall({ caller: { ...ASSUMED, session } })).userIdentity).toMatchObject({
    sessionContext: {
      webIdFederationData: {
        federatedProvider: `arn:aws:iam::${ACCOUNT}:oidc-provider/oidc.example.com`,
        attributes: {},
      },
      sourceIdentity: 'ann',
    },
  })
})

test('a session of a user is the user, with the session’s beginning', () => {
  const { userIdentity } = buildRecord(givenCall({ caller: { ...CALLER, session: SESSION } }))
  expect(userIdentity).toMatchObject({ type: 'IAMUser', userName: 'ada' })
  expect(userIdentity.sessionContext).toEqual({
    attributes: { creationDate: '2026-11-23T11:59:00Z', mfaAuthenticated: 'false' },
  })
})

test('whom a provider vouches for has no account and no access key', () => {
  const federated = { provider: 'oidc.example.com', subject: 'sub', audience: 'aud' }
  const caller = { kind: 'WebIdentity', account: ACCOUNT, federated } as const
  const record = buildRecord(givenCall({ caller }))
  expect(record.recipientAccountId).toBe(ACCOUNT)
  expect(record.userIdentity).toEqual({
    type: 'WebIdentityUser',
    principalId: 'oidc.example.com:aud:sub',
    userName: 'sub',
    identityProvider: 'oidc.example.com',
  })
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
