import { expect, test } from 'vitest'
import {
  matchesArn,
  parseArnValue,
  parseResourceArn,
  splitArn,
} from '../../../shared/authz/arn-pattern.ts'
import { PolicyProblem } from '../../../shared/authz/policy-problem.ts'
import { KEY_ARN } from './given.ts'

const lookup = (key: string) => (key === 'aws:username' ? 'a:*' : null)

const covers = (pattern: string, arn: string, short = true) =>
  matchesArn(parseResourceArn(pattern, { variables: true, short }), splitArn(arn) ?? [], lookup)

const OBJECT = 'arn:aws:s3:::books/a/b:c'

test.each([
  [KEY_ARN, KEY_ARN, true],
  ['arn:aws:kms:us-east-1:111122223333:key/*', KEY_ARN, true],
  ['arn:aws:kms:*:111122223333:key/*', KEY_ARN, true],
  ['arn:aws:kms:us-*-1:1111????3333:key/1234*', KEY_ARN, true],
  ['arn:*:kms:*:*:*', KEY_ARN, true],
  ['arn:aws:kms:us-east-1:111122223333:*', KEY_ARN, true],
  ['arn:aws:kms:us-east-1:111122223333', KEY_ARN, true],
  ['arn:aws:kms', KEY_ARN, true],
  ['arn:aws:kms:eu-*', KEY_ARN, false],
  ['arn:aws:kms:us-east-1:444455556666:key/*', KEY_ARN, false],
  ['arn:aws:kms:us-east-1:111122223333:alias/*', KEY_ARN, false],
  ['arn:aws:s3', KEY_ARN, false],
  ['arn:aws:kms:*:key/*', KEY_ARN, false],
  ['arn:aws:kms:us-east-1:111122223333:KEY/*', KEY_ARN, false],
  ['arn:aws:s3:::books/*', OBJECT, true],
  ['arn:aws:s3:::*', OBJECT, true],
  ['arn:aws:s3:::books/a/b:c', OBJECT, true],
  ['arn:aws:s3:::books/*:d', OBJECT, false],
  ['arn:aws:s3:::books', OBJECT, false],
  ['arn:aws:s3:us-east-1::books/*', OBJECT, false],
  [`arn:aws:s3:::\${aws:username}`, 'arn:aws:s3:::a:*', true],
  [`arn:aws:s3:::\${aws:username}`, 'arn:aws:s3:::a:b', false],
  [`arn:aws:s3:::\${aws:userid}`, OBJECT, null],
])('the resource %s covers %s: %s', (pattern, arn, expected) => {
  expect(covers(pattern, arn)).toBe(expected)
})

test.each([
  'key/1',
  '1234abcd-12ab-34cd-56ef-1234567890ab',
  'alias/app',
  '',
  'arn',
  'arn:aws',
  'arn::kms:::x',
  'arn:aws::::x',
  'arn:aws:*:us-east-1:111122223333:key/*',
  'arn:aws:km?:us-east-1:111122223333:key/*',
  '*:aws:kms:::x',
  `arn:aws:kms:\${aws:RequestedRegion}:111122223333:key/*`,
  `arn:aws:s3:\${aws:username}`,
  '**',
])('the resource %j is malformed', (text) => {
  expect(() => parseResourceArn(text, { variables: true, short: true })).toThrow(PolicyProblem)
})

test('a short ARN is malformed where all fields are asked for', () => {
  expect(() => covers('arn:aws:kms', KEY_ARN, false)).toThrow(PolicyProblem)
})

test.each(['', 'x', '*', 'arn:aws:kms', 'arn:aws:kms:us-east-1:1'])(
  'the condition value %j is no ARN',
  (text) => {
    expect(() => parseArnValue(text, true)).toThrow(PolicyProblem)
  },
)

test('splitting an ARN keeps the colons of the last field', () => {
  expect(splitArn('arn:aws:s3:::b/a:b:c')).toEqual(['arn', 'aws', 's3', '', '', 'b/a:b:c'])
  expect(splitArn('arn:aws:s3:::')).toEqual(['arn', 'aws', 's3', '', '', ''])
  expect(splitArn('arn:aws:s3::')).toBeNull()
  expect(splitArn('urn:aws:s3:::x')).toBeNull()
})
