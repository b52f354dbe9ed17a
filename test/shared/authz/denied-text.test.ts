import { describe, expect, test } from 'vitest'
import type { AccessRequest, Denied } from '../../../shared/authz/decide.ts'
import { deniedText } from '../../../shared/authz/denied-text.ts'
import { ACCOUNT, ALICE, givenRequest, givenStranger, KEY_ARN } from './given.ts'

const implicit = (where: Denied['where']): Denied => ({
  allowed: false,
  reason: 'implicit-deny',
  where,
})
const explicit = (where: Denied['where']): Denied => ({
  allowed: false,
  reason: 'explicit-deny',
  where,
})

const textOf = (denied: Denied, difference: Partial<AccessRequest> = {}) =>
  deniedText(givenRequest({ action: 'kms:Decrypt', ...difference }), denied)

const ALICE_MAY_NOT = `User: ${ALICE} is not authorized to perform:`

test.each([
  [
    implicit('identity-based'),
    `${ALICE_MAY_NOT} kms:Decrypt on resource: ${KEY_ARN} because no identity-based policy allows the kms:Decrypt action`,
  ],
  [
    implicit('resource-based'),
    `${ALICE_MAY_NOT} kms:Decrypt on resource: ${KEY_ARN} because no resource-based policy allows the kms:Decrypt action`,
  ],
  [
    explicit('identity-based'),
    `${ALICE_MAY_NOT} kms:Decrypt on resource: ${KEY_ARN} with an explicit deny in an identity-based policy`,
  ],
  [
    explicit('resource-based'),
    `${ALICE_MAY_NOT} kms:Decrypt on resource: ${KEY_ARN} with an explicit deny in a resource-based policy`,
  ],
  [
    implicit('permissions-boundary'),
    `${ALICE_MAY_NOT} kms:Decrypt on resource: ${KEY_ARN} because no permissions boundary allows the kms:Decrypt action`,
  ],
  [
    explicit('permissions-boundary'),
    `${ALICE_MAY_NOT} kms:Decrypt on resource: ${KEY_ARN} with an explicit deny in a permissions boundary`,
  ],
  [
    implicit('session'),
    `${ALICE_MAY_NOT} kms:Decrypt on resource: ${KEY_ARN} because no session policy allows the kms:Decrypt action`,
  ],
  [
    explicit('session'),
    `${ALICE_MAY_NOT} kms:Decrypt on resource: ${KEY_ARN} with an explicit deny in a session policy`,
  ],
  [
    implicit('service-control'),
    `${ALICE_MAY_NOT} kms:Decrypt on resource: ${KEY_ARN} because no service control policy allows the kms:Decrypt action`,
  ],
])('a caller of the account is told the resource and what denied: %j', (denied, expected) => {
  expect(textOf(denied)).toBe(expected)
})

describe('a caller of another account', () => {
  const caller = givenStranger()
  const EVE_MAY_NOT = 'User: arn:aws:iam::444455556666:user/eve is not authorized to perform:'

  test('is not told the resource', () => {
    expect(textOf(implicit('identity-based'), { caller })).toBe(
      `${EVE_MAY_NOT} kms:Decrypt on this resource because no identity-based policy allows the kms:Decrypt action`,
    )
    expect(textOf(explicit('identity-based'), { caller })).toBe(
      `${EVE_MAY_NOT} kms:Decrypt on this resource with an explicit deny in an identity-based policy`,
    )
  })

  test('is not told whether the key is missing, its policy silent, or denying', () => {
    const text = `${EVE_MAY_NOT} kms:Decrypt on the resource associated with this ciphertext because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access`
    expect(textOf(implicit('resource-based'), { caller })).toBe(text)
    expect(textOf(explicit('resource-based'), { caller })).toBe(text)
  })

  test.each([
    ['kms:ReEncryptFrom', 'the resource associated with this ciphertext'],
    ['kms:ReEncryptTo', 'this resource'],
    ['kms:Encrypt', 'this resource'],
    ['kms:DescribeKey', 'this resource'],
  ])('is told of a ciphertext by %s only where one names the key: %s', (action, named) => {
    expect(textOf(implicit('resource-based'), { caller, action })).toBe(
      `${EVE_MAY_NOT} ${action} on ${named} because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access`,
    )
  })
})

test('an operation without resource is refused on *, and CloudTrail names none', () => {
  expect(textOf(implicit('identity-based'), { action: 'kms:CreateKey', resource: null })).toBe(
    `${ALICE_MAY_NOT} kms:CreateKey on resource: * because no identity-based policy allows the kms:CreateKey action`,
  )
  expect(
    textOf(explicit('identity-based'), { action: 'cloudtrail:LookupEvents', resource: null }),
  ).toBe(
    `${ALICE_MAY_NOT} cloudtrail:LookupEvents with an explicit deny in an identity-based policy`,
  )
})

test.each([implicit('role-trust'), explicit('role-trust')])(
  'who may not assume a role is told nothing of why: %j',
  (denied) => {
    const resource = { arn: 'arn:aws:iam::111122223333:role/Deploy', account: ACCOUNT }
    const text = (caller = givenRequest().caller) =>
      textOf(denied, { action: 'sts:AssumeRole', resource, caller, style: 'trust' })
    expect(text()).toBe(`${ALICE_MAY_NOT} sts:AssumeRole on resource: ${resource.arn}`)
    expect(text(givenStranger())).toBe(
      `User: arn:aws:iam::444455556666:user/eve is not authorized to perform: sts:AssumeRole on resource: ${resource.arn}`,
    )
  },
)

test('S3 puts the resource in quotes', () => {
  const resource = { arn: 'arn:aws:s3:::books/a', account: ACCOUNT }
  expect(textOf(implicit('identity-based'), { action: 's3:GetObject', resource })).toBe(
    `${ALICE_MAY_NOT} s3:GetObject on resource: "arn:aws:s3:::books/a" because no identity-based policy allows the s3:GetObject action`,
  )
})
