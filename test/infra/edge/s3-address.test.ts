import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { route } from '../../../infra/edge/route.ts'
import { addressOf, bucketOfHost, LOCAL_S3_HOSTS } from '../../../infra/edge/s3-address.ts'

describe('The bucket that a host names', () => {
  test.each([
    ['b.localhost', 'b'],
    ['b.localhost:4566', 'b'],
    ['b.s3.localhost:4566', 'b'],
    ['B.S3.LOCALHOST', 'b'],
    ['a.b.c.s3.localhost', 'a.b.c'],
    ['s3.localhost', ''],
    ['s3.s3.localhost', 's3'],
    ['localhost:4566', ''],
    ['localhost', ''],
    ['.localhost', ''],
    ['blocalhost', ''],
    ['bs3.localhost', 'bs3'],
    ['127.0.0.1:4566', ''],
    ['[::1]:4566', ''],
    ['b.localhost.example', ''],
    ['', ''],
  ])('%s is %j', (host, bucket) => {
    expect(bucketOfHost(host, LOCAL_S3_HOSTS)).toBe(bucket)
    expect(bucketOfHost(host, [...LOCAL_S3_HOSTS].reverse())).toBe(bucket)
  })

  test('is none where no host of S3 is set', () => {
    fc.assert(fc.property(fc.domain(), (host) => bucketOfHost(host, []) === ''))
  })

  test('is what stands before the host of S3', () => {
    fc.assert(
      fc.property(fc.domain(), fc.domain(), (bucket, host) => {
        expect(bucketOfHost(`${bucket}.${host}:443`, [host.toLowerCase()])).toBe(
          bucket.toLowerCase(),
        )
      }),
    )
  })
})

test('With a bucket in the host the whole path is the key', () => {
  fc.assert(
    fc.property(fc.string(), (path) => {
      expect(addressOf(`/${path}`, 'b')).toEqual({ bucket: 'b', key: path })
    }),
  )
})

describe('The edge', () => {
  const routed = (method: string, path: string, query = '') =>
    route({
      method,
      path,
      query,
      headers: { host: 'b.s3.localhost', 'x-keyhold-bucket': 'forged' },
      sourceIp: '203.0.113.9',
      s3Hosts: LOCAL_S3_HOSTS,
    })

  test.each([
    ['GET', '/', '', '/s3/settings'],
    ['GET', '/', 'list-type=2', '/s3/ListObjectsV2'],
    ['PUT', '/', '', '/s3/CreateBucket'],
    ['HEAD', '/', '', '/s3/HeadBucket'],
    ['POST', '/', 'delete', '/s3/DeleteObjects'],
    ['GET', '/k', '', '/s3/GetObject'],
    ['PUT', '//', '', '/s3/PutObject'],
    ['GET', '/', 'policy', '/s3/settings'],
  ])('%s %s?%s leads to %s and says which bucket', (method, path, query, to) => {
    const { path: target, headers } = routed(method, path, query)
    expect([target, headers['x-keyhold-bucket']]).toEqual([to, 'b'])
    expect(headers['x-keyhold-path']).toBe(path)
  })

  test('lets no client name the bucket', () => {
    const headers = { host: 'localhost', 'x-keyhold-bucket': 'forged' }
    const given = { method: 'GET', path: '/b/k', query: '', headers, sourceIp: '::1' }
    const answered = route({ ...given, s3Hosts: LOCAL_S3_HOSTS })
    expect(answered.headers['x-keyhold-bucket']).toBeUndefined()
  })
})
