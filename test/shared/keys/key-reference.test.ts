import { describe, expect, test } from 'vitest'
import { JsonError } from '../../../shared/errors.ts'
import { parseAccountId, parseRegion } from '../../../shared/ids.ts'
import { parseKeyReference, type Vantage } from '../../../shared/keys/key-reference.ts'

const vantage = {
  account: parseAccountId('111122223333'),
  region: parseRegion('eu-west-1'),
} as Vantage
const KEY_ID = '1234abcd-12ab-34cd-56ef-1234567890ab'
const ARN = 'arn:aws:kms:eu-west-1:111122223333'

const parse = (text: string, aliases = true) => parseKeyReference(text, vantage, aliases)

describe('a key is named by', () => {
  const own = { by: 'id', account: '111122223333', keyId: KEY_ID }
  test.for([
    ['its id', KEY_ID, { ...own, given: KEY_ID }],
    ['its id in capitals', KEY_ID.toUpperCase(), { ...own, given: KEY_ID.toUpperCase() }],
    ['its ARN', `${ARN}:key/${KEY_ID}`, { ...own, given: KEY_ID }],
    [
      'the ARN of another account',
      `arn:aws:kms:eu-west-1:444455556666:key/${KEY_ID}`,
      { ...own, account: '444455556666', given: KEY_ID },
    ],
    ['an alias', 'alias/a', { by: 'alias', account: '111122223333', aliasName: 'alias/a' }],
    [
      'an alias ARN',
      `${ARN}:alias/a/b`,
      { by: 'alias', account: '111122223333', aliasName: 'alias/a/b' },
    ],
    [
      'a multi-Region id',
      'mrk-1234abcd12ab34cd56ef1234567890ab',
      {
        ...own,
        keyId: 'mrk-1234abcd12ab34cd56ef1234567890ab',
        given: 'mrk-1234abcd12ab34cd56ef1234567890ab',
      },
    ],
  ] as const)('%s', ([, text, expected]) => {
    expect(parse(text)).toEqual(expected)
  })
})

describe('what names no key is answered', () => {
  const aliases = 'Key Aliases are not supported for this operation.'
  test.for([
    ['a malformed id', 'nonsense', true, 'NotFoundException', "Invalid keyId 'nonsense'"],
    [
      'a malformed id in an ARN',
      `${ARN}:key/nonsense`,
      true,
      'NotFoundException',
      'Invalid keyId nonsense',
    ],
    [
      'an ARN of another Region',
      `arn:aws:kms:us-east-1:111122223333:key/${KEY_ID}`,
      true,
      'NotFoundException',
      'Invalid arn us-east-1',
    ],
    ['an alias where none is taken', 'alias/a', false, 'InvalidArnException', aliases],
    ['an alias ARN where none is taken', `${ARN}:alias/a`, false, 'InvalidArnException', aliases],
    [
      'an ARN of another service',
      'arn:aws:s3:::bucket',
      true,
      'NotFoundException',
      'Invalid arn arn:aws:s3:::bucket',
    ],
  ] as const)('%s', ([, text, takesAliases, code, message]) => {
    const attempt = () => parse(text, takesAliases)
    expect(attempt).toThrow(JsonError)
    expect(attempt).toThrow(expect.objectContaining({ code, text: message }))
  })
})
