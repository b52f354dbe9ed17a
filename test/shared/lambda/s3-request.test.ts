import { Readable } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { percentEncode } from '../../../shared/authn/percent-encoding.ts'
import type { AccountId } from '../../../shared/ids.ts'
import { isUnmodified } from '../../../shared/lambda/s3-conditions.ts'
import { selectBytes } from '../../../shared/lambda/s3-range.ts'
import { S3Request } from '../../../shared/lambda/s3-request.ts'

interface Given {
  readonly path?: string
  readonly query?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly presigned?: boolean
}

const givenRequest = ({ path = '/b/k', query = '', headers = {}, presigned = false }: Given = {}) =>
  new S3Request({
    origin: {
      request: {
        method: 'GET',
        path,
        query,
        headers: new Map(Object.entries({ host: 'h', ...headers }).map(([n, v]) => [n, [v]])),
      },
      sourceIp: '127.0.0.1',
      userAgent: '',
      secure: false,
      operation: null,
      bucket: '',
    },
    account: '111122223333' as AccountId,
    payload: { kind: 'unsigned' },
    presigned,
    exchange: { body: () => Readable.from([]), signal: new AbortController().signal },
  })

describe('the address', () => {
  test.each([
    ['/', '', ''],
    ['/b', 'b', ''],
    ['/b/', 'b', ''],
    ['/b/k', 'b', 'k'],
    ['/b//k', 'b', '/k'],
    ['/b/./../k', 'b', './../k'],
    ['/b/a%2Fb', 'b', 'a/b'],
    ['/b/a+b', 'b', 'a+b'],
    ['/b/a%2520b', 'b', 'a%20b'],
    ['/b/k/', 'b', 'k/'],
    ['/b/%E2%82%AC', 'b', '€'],
  ])('%s is bucket "%s" and key "%s"', (path, bucket, key) => {
    const request = givenRequest({ path })
    expect([request.bucket, request.key]).toEqual([bucket, key])
  })

  test('any key of UTF-8 that was encoded once comes out as it was', () => {
    const key = fc.string({ unit: 'binary', minLength: 1, maxLength: 200 })
    fc.assert(
      fc.property(key, (name) => {
        expect(givenRequest({ path: `/b/${percentEncode(name)}` }).key).toBe(name)
      }),
    )
  })

  test.each(['/b/%FF', '/b/%ED%A0%80', '/b/%', '/%C0%80/k'])('%s is no URI', (path) => {
    expect(() => givenRequest({ path })).toThrow(expect.objectContaining({ code: 'InvalidURI' }))
  })

  test('a key has 1024 bytes at most', () => {
    expect(givenRequest({ path: `/b/${'%C3%A9'.repeat(512)}` }).key).toHaveLength(512)
    expect(() => givenRequest({ path: `/b/${'%C3%A9'.repeat(513)}` })).toThrow(
      expect.objectContaining({
        code: 'KeyTooLongError',
        details: { Size: 1026, MaxSizeAllowed: 1024 },
      }),
    )
  })
})

describe('headers of a presigned URL', () => {
  const query = 'x-amz-meta-a=1&X-Amz-Server-Side-Encryption=AES256&other=2'

  test('may stand in its query, and those of the request win', () => {
    const headers = { 'x-amz-meta-a': 'own' }
    const request = givenRequest({ query, headers, presigned: true })
    expect(request.header('x-amz-meta-a')).toBe('own')
    expect(request.header('x-amz-server-side-encryption')).toBe('AES256')
    expect(request.header('other')).toBeUndefined()
    expect([...request.headerNames()].filter((name) => name === 'x-amz-meta-a')).toHaveLength(1)
  })

  test('are parameters and nothing else where the URL is not presigned', () => {
    const request = givenRequest({ query })
    expect(request.header('x-amz-server-side-encryption')).toBeUndefined()
    expect([...request.headerNames()]).toEqual(['host'])
  })
})

describe('selectBytes', () => {
  const object = { size: 1000, parts: [], multipart: false }

  test('gives the bytes of any range, and never one outside of the object', () => {
    const numbers = fc.tuple(fc.nat(1500), fc.nat(1500), fc.nat(1200))
    fc.assert(
      fc.property(numbers, ([first, last, size]) => {
        const range = `bytes=${first}-${last}`
        const attempt = () => selectBytes(givenRequest({ headers: { range } }), { ...object, size })
        if (first > last) expect(attempt()).toMatchObject({ partial: false, end: size - 1 })
        else if (first >= size) {
          expect(attempt).toThrow(expect.objectContaining({ code: 'InvalidRange' }))
        } else {
          expect(attempt()).toMatchObject({ start: first, end: Math.min(last, size - 1) })
        }
      }),
    )
  })

  test('counts the parts of a multipart object in their order', () => {
    const part = { blob: '', salt: Buffer.alloc(0), commitment: Buffer.alloc(0), etag: '' }
    const parts = [3, 9].map((partNumber) => ({
      ...part,
      partNumber,
      size: partNumber * 100,
      checksums: {},
      createdAt: 0,
    }))
    const request = givenRequest({ query: 'partNumber=2' })
    expect(selectBytes(request, { size: 1200, parts, multipart: true })).toEqual({
      start: 300,
      end: 1199,
      partial: true,
      partNumber: 2,
    })
  })
})

test('a read whose date cannot be read has no date', () => {
  const request = givenRequest({ headers: { 'if-modified-since': 'x' } })
  expect(isUnmodified(request, { etag: 'e', createdAt: 0 })).toBe(false)
})
