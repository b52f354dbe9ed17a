import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalHeaders } from '../../../shared/authn/canonical-headers.ts'
import { canonicalPath } from '../../../shared/authn/canonical-path.ts'
import {
  canonicalQuery,
  decodedQuery,
  queryParameters,
} from '../../../shared/authn/canonical-query.ts'
import { canonicalRequestHash } from '../../../shared/authn/canonical-request.ts'
import { percentEncode, percentRecode } from '../../../shared/authn/percent-encoding.ts'

const text = fc.string({ unit: 'grapheme' })

describe('percent-encoding', () => {
  test('leaves the unreserved characters and nothing else', () => {
    fc.assert(
      fc.property(text, (one) => {
        const encoded = percentEncode(one)
        expect(encoded).toMatch(/^([A-Za-z0-9\-._~]|%[0-9A-F]{2})*$/)
        expect(decodeURIComponent(encoded)).toBe(one)
      }),
    )
  })

  test('has one spelling for each text, however it was spelled', () => {
    const spelled = (bytes: Buffer, choices: readonly boolean[]): string =>
      Array.from(bytes, (byte, at) => {
        const character = String.fromCharCode(byte)
        const isPlain = /[A-Za-z0-9\-._~!'()*]/.test(character) && choices[at]
        if (isPlain) return character
        const hex = byte.toString(16).padStart(2, '0')
        return `%${choices[at] ? hex.toUpperCase() : hex}`
      }).join('')
    fc.assert(
      fc.property(text, fc.infiniteStream(fc.boolean()), (one, stream) => {
        const bytes = Buffer.from(one)
        const choices = [...stream.take(bytes.length)]
        expect(percentRecode(spelled(bytes, choices))).toBe(percentEncode(one))
      }),
    )
  })

  test('keeps bytes apart that are not UTF-8', () => {
    expect(percentRecode('%ff')).toBe('%FF')
    expect(percentRecode('%fe')).toBe('%FE')
  })

  test('takes a % that begins nothing for itself', () => {
    expect(percentRecode('100%')).toBe('100%25')
    expect(percentRecode('%g0')).toBe('%25g0')
  })
})

describe('the canonical path', () => {
  test.each([
    ['', '/'],
    ['/', '/'],
    ['/a//b', '/a//b'],
    ['/a/../b/./', '/a/../b/./'],
    ['/a b', '/a%20b'],
    ['/a+b', '/a%2Bb'],
    ['/a%20b', '/a%20b'],
    ['/a%2fb', '/a/b'],
    ['/%7euser', '/~user'],
  ])('of %s is %s for S3', (path, canonical) => {
    expect(canonicalPath(path, 'verbatim')).toBe(canonical)
  })

  test.each([
    ['', '/'],
    ['/', '/'],
    ['//', '/'],
    ['/a//b', '/a/b'],
    ['/a/../b/./', '/b/'],
    ['/../..', '/'],
    ['/a%20b', '/a%2520b'],
  ])('of %s is %s for the other services', (path, canonical) => {
    expect(canonicalPath(path, 'normalized')).toBe(canonical)
  })
})

describe('the canonical query', () => {
  test.each([
    ['', ''],
    ['uploads', 'uploads='],
    ['b=2&a=1', 'a=1&b=2'],
    ['a=2&a=1', 'a=1&a=2'],
    ['a=b=c', 'a=b%3Dc'],
    ['a=x+y', 'a=x%20y'],
    ['a=x%2By', 'a=x%2By'],
    ['&&a=1&', 'a=1'],
    ['a-b=1&a=1', 'a=1&a-b=1'],
    ['a=%C3%A9', 'a=%C3%A9'],
  ])('of %s is %s', (query, canonical) => {
    expect(canonicalQuery(queryParameters(query))).toBe(canonical)
  })

  test('leaves out the signature alone, in whatever capitals', () => {
    const parameters = queryParameters('X-Amz-Signature=1&x-amz-signature=2&X-Amz-Date=3')
    expect(canonicalQuery(parameters, 'x-amz-signature')).toBe('X-Amz-Date=3')
  })

  test('is read by whoever acts on it as it was signed', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text)), (pairs) => {
        const query = new URLSearchParams(pairs.filter(([name]) => name !== '')).toString()
        expect(decodedQuery(query)).toEqual(
          pairs.filter(([name]) => name !== '').map(([name, value]) => ({ name, value })),
        )
      }),
    )
  })

  test('is not read where it is not UTF-8', () => {
    expect(decodedQuery('a=%FF')).toBeNull()
  })
})

describe('canonical headers', () => {
  const headers = new Map([
    ['a', [' x   y ', '\tz']],
    ['b', ['']],
    ['c', ['"p  q"']],
    ['d', ['x\u00a0\u00a0y']],
  ])

  test.each([
    ['a', 'a:x y,z\n'],
    ['b', 'b:\n'],
    ['c', 'c:"p q"\n'],
    ['d', 'd:x\u00a0\u00a0y\n'],
  ])('of %s lose white space, and only that', (name, lines) => {
    expect(canonicalHeaders(headers, [name])).toBe(lines)
  })

  test('are none when one of the list did not come', () => {
    expect(canonicalHeaders(headers, ['a', 'e'])).toBeNull()
  })
})

describe('the hash of the canonical request', () => {
  const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

  test('is over the bytes of header values, as clients sent them', () => {
    const asReceived = Buffer.from('é').toString('latin1')
    expect(canonicalRequestHash(asReceived)).toBe(sha256(Buffer.from('é')))
  })

  test('does not drop bits of characters beyond one byte', () => {
    expect(canonicalRequestHash('\u0141')).toBe(sha256(Buffer.from('\u0141')))
    expect(canonicalRequestHash('\u0141')).not.toBe(canonicalRequestHash('A'))
  })
})
