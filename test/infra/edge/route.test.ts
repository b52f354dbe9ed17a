import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type EdgeRequest, route } from '../../../infra/edge/route.ts'

const scopedTo = (service: string): string =>
  `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20261123/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=00`

const given = (request: Partial<EdgeRequest>): EdgeRequest => ({
  method: 'POST',
  path: '/',
  query: '',
  sourceIp: '203.0.113.9',
  s3Hosts: ['s3.keyhold.example'],
  ...request,
  headers: { host: 'keyhold.example', ...request.headers },
})

const pathOf = (request: Partial<EdgeRequest>): string => route(given(request)).path

describe('AWS JSON', () => {
  test.each([
    ['TrentService.Encrypt', '/kms/Encrypt'],
    ['TrentService.NotThere', '/kms/NotThere'],
    ['CloudTrail_20131101.LookupEvents', '/cloudtrail/LookupEvents'],
    [
      'com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents',
      '/cloudtrail/LookupEvents',
    ],
    ['DynamoDB_20120810.GetItem', '/kms/unknown'],
    ['TrentService.', '/kms/unknown'],
    ['TrentService', '/kms/unknown'],
    ['TrentService.a/b', '/kms/unknown'],
    ['TrentService...', '/kms/unknown'],
    ['', '/kms/unknown'],
  ])('the target %s leads to %s, signed or not', (target, path) => {
    expect(pathOf({ headers: { 'x-amz-target': target } })).toBe(path)
    const signed = { 'x-amz-target': target, authorization: scopedTo('kms') }
    expect(pathOf({ headers: signed })).toBe(path)
  })

  test('a request without a target is unknown to KMS when it is JSON or signed for KMS', () => {
    expect(pathOf({ headers: { 'content-type': 'application/x-amz-json-1.1' } })).toBe(
      '/kms/unknown',
    )
    expect(pathOf({ headers: { 'content-type': 'application/json' } })).toBe('/kms/unknown')
    expect(pathOf({ method: 'GET', path: '/b', headers: { authorization: scopedTo('kms') } })).toBe(
      '/kms/unknown',
    )
  })
})

describe('plain HTTP', () => {
  const bearer = { authorization: 'Bearer e30.e30.x' }

  test.each([
    ['/kms/Encrypt', '/kms/Encrypt', undefined],
    ['/kms/NotThere', '/kms/NotThere', undefined],
    ['/cloudtrail/LookupEvents', '/cloudtrail/LookupEvents', undefined],
    ['/tenants/CreateUser', '/tenants', 'CreateUser'],
    ['/sts/exchange', '/sts/exchange', undefined],
  ])('a POST to %s leads to %s, with a bearer token, signed and without', (path, to, operation) => {
    for (const headers of [bearer, {}, { authorization: scopedTo('keyhold') }]) {
      const routed = route(given({ path, headers }))
      expect(routed.path).toBe(to)
      expect(routed.headers['x-keyhold-operation']).toBe(operation)
      expect(routed.headers['x-keyhold-path']).toBe(path)
    }
    expect(route(given({ path, headers: bearer })).headers['x-keyhold-authorization']).toBe(
      bearer.authorization,
    )
  })

  test('a target in a header says more than the path', () => {
    const headers = { ...bearer, 'x-amz-target': 'TrentService.Decrypt' }
    expect(pathOf({ path: '/kms/Encrypt', headers })).toBe('/kms/Decrypt')
  })

  test.each([
    ['GET', '/kms/Encrypt', {}, '/s3/GetObject'],
    ['PUT', '/kms/Encrypt', bearer, '/s3/PutObject'],
    ['POST', '/kms/Encrypt', { authorization: scopedTo('s3') }, '/s3/not-implemented'],
    ['POST', '/kms/a/b', bearer, '/s3/not-implemented'],
    ['POST', '/kms/../x', bearer, '/s3/not-implemented'],
    ['POST', '/kms/', bearer, '/s3/PostObject'],
    ['POST', '/kms/Encrypt%2F', bearer, '/s3/not-implemented'],
    ['POST', '/xkms/Encrypt', bearer, '/s3/not-implemented'],
  ])('%s %s is no such call: %o leads to %s', (method, path, headers, to) => {
    expect(pathOf({ method, path, headers })).toBe(to)
  })
})

describe('AWS Query', () => {
  test('a form leads to STS, whatever its charset, and so does Action in the query', () => {
    const type = 'application/x-www-form-urlencoded; charset=utf-8'
    expect(pathOf({ headers: { 'content-type': type } })).toBe('/sts')
    expect(pathOf({ method: 'GET', query: 'Version=2011-06-15&Action=GetCallerIdentity' })).toBe(
      '/sts',
    )
  })

  test('what is signed for STS leads there', () => {
    expect(pathOf({ headers: { authorization: scopedTo('sts') } })).toBe('/sts')
    const query =
      'X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20261123%2Fus-east-1%2Fsts%2Faws4_request'
    expect(pathOf({ method: 'GET', query })).toBe('/sts')
  })

  test('a form that is an object stays one', () => {
    const type = 'application/x-www-form-urlencoded'
    expect(pathOf({ method: 'PUT', path: '/b/k', headers: { 'content-type': type } })).toBe(
      '/s3/PutObject',
    )
  })
})

describe('S3', () => {
  test.each([
    ['GET', '/', '', 'ListBuckets'],
    ['GET', '/', 'x-id=ListBuckets', 'ListBuckets'],
    ['PUT', '/b', '', 'CreateBucket'],
    ['PUT', '/b/', '', 'CreateBucket'],
    ['HEAD', '/b', '', 'HeadBucket'],
    ['DELETE', '/b/', '', 'DeleteBucket'],
    ['GET', '/b/', 'list-type=2&prefix=uploads', 'ListObjectsV2'],
    ['GET', '/b', 'uploads=', 'ListMultipartUploads'],
    ['POST', '/b/', 'delete', 'DeleteObjects'],
    ['POST', '/b', 'delete=', 'DeleteObjects'],
    ['POST', '/b', '', 'PostObject'],
    ['PUT', '/b/k', 'x-id=PutObject', 'PutObject'],
    ['PUT', '/b//', '', 'PutObject'],
    ['PUT', '/b/../x', '', 'PutObject'],
    ['GET', '/b/k%2Fz', '', 'GetObject'],
    ['GET', '/b/k', 'versionId=null&response-content-type=a', 'GetObject'],
    ['GET', '/b/k', 'partNumber=2', 'GetObject'],
    ['HEAD', '/b/k', 'partNumber=2', 'HeadObject'],
    ['HEAD', '/b/k', '', 'HeadObject'],
    ['DELETE', '/b/k', '', 'DeleteObject'],
    ['POST', '/b/k', 'uploads', 'CreateMultipartUpload'],
    ['PUT', '/b/k', 'partNumber=1&uploadId=u', 'UploadPart'],
    ['PUT', '/b/k', 'uploadId=u', 'UploadPart'],
    ['PUT', '/b/k', 'partNumber=1', 'UploadPart'],
    ['POST', '/b/k', 'uploadId=u', 'CompleteMultipartUpload'],
    ['DELETE', '/b/k', 'uploadId=u', 'AbortMultipartUpload'],
    ['GET', '/b/k', 'uploadId=u', 'ListParts'],
    ['GET', '/b/k', '%75ploadId=u', 'ListParts'],
  ])('%s %s?%s is %s', (method, path, query, operation) => {
    expect(pathOf({ method, path, query })).toBe(`/s3/${operation}`)
  })

  test.each([
    ['GET', '/b', '', 'ListObjects'],
    ['GET', '/b/k', 'attributes', 'GetObjectAttributes'],
    ['GET', '/b', 'policy', 'GetBucketPolicy'],
    ['GET', '/b', 'policyStatus', 'GetBucketPolicyStatus'],
    ['PUT', '/b', 'policy', 'PutBucketPolicy'],
    ['DELETE', '/b', 'policy', 'DeleteBucketPolicy'],
    ['GET', '/b', 'encryption', 'GetBucketEncryption'],
    ['PUT', '/b', 'encryption=', 'PutBucketEncryption'],
    ['DELETE', '/b', 'encryption', 'DeleteBucketEncryption'],
    ['GET', '/b', 'location', 'GetBucketLocation'],
    ['OPTIONS', '/b/k', '', 'Preflight'],
    ['PUT', '/b/k', '%74agging', 'PutObjectTagging'],
    ['DELETE', '/b/k', 'tagging', 'DeleteObjectTagging'],
    ['PUT', '/b/k', 'tagging', 'PutObjectTagging'],
    ['GET', '/b/k', 'acl', 'GetObjectAcl'],
    ['GET', '/b', 'versions', 'ListObjectVersions'],
    ['DELETE', '/b', 'cors', 'DeleteBucketCors'],
  ])('%s %s?%s is the setting %s', (method, path, query, operation) => {
    const routed = route(given({ method, path, query }))
    expect(routed.path).toBe('/s3/settings')
    expect(routed.headers['x-keyhold-operation']).toBe(operation)
  })

  test.each([
    ['PUT', '/b', 'uploads', 'PutBucketMultipartUploads'],
    ['DELETE', '/b', 'lifecycle', 'DeleteBucketLifecycleConfiguration'],
    ['POST', '/b/k', 'restore', 'RestoreObject'],
    ['POST', '/b/k', '', 'PostObject'],
    ['GET', '/', 'policy', 'GetServicePolicy'],
  ])('%s %s?%s is refused as %s', (method, path, query, operation) => {
    const routed = route(given({ method, path, query }))
    expect(routed.path).toBe('/s3/not-implemented')
    expect(routed.headers['x-keyhold-operation']).toBe(operation)
  })

  test('a copy is never taken for a write of its empty body', () => {
    const headers = { 'x-amz-copy-source': '/b/other' }
    const copy = route(given({ method: 'PUT', path: '/b/k', headers }))
    expect(copy.path).toBe('/s3/CopyObject')
    const query = 'partNumber=1&uploadId=u'
    const part = route(given({ method: 'PUT', path: '/b/k', query, headers }))
    expect(part.path).toBe('/s3/UploadPartCopy')
    const presigned = 'X-Amz-Signature=0&X-Amz-Copy-Source=b%2Fother'
    const hoisted = route(given({ method: 'PUT', path: '/b/k', query: presigned }))
    expect(hoisted.path).toBe('/s3/CopyObject')
  })

  test('what is signed for S3 is S3, even where target and type say otherwise', () => {
    const headers = {
      authorization: scopedTo('s3'),
      'x-amz-target': 'TrentService.Encrypt',
      'content-type': 'application/x-amz-json-1.1',
    }
    expect(pathOf({ path: '/b', query: 'delete', headers })).toBe('/s3/DeleteObjects')
    expect(pathOf({ headers })).toBe('/s3/not-implemented')
  })

  test('a sub-resource in the value of a parameter decides nothing', () => {
    expect(pathOf({ method: 'GET', path: '/b', query: 'list-type=2&prefix=policy' })).toBe(
      '/s3/ListObjectsV2',
    )
    expect(pathOf({ method: 'GET', path: '/b/k', query: 'x=%26policy' })).toBe('/s3/GetObject')
  })

  test('a parameter that cannot be decoded is no sub-resource and no failure', () => {
    expect(pathOf({ method: 'GET', path: '/b/k', query: '%ff=1&%' })).toBe('/s3/GetObject')
  })
})

describe('what the signature covers', () => {
  test('is moved as it was received', () => {
    const authorization = scopedTo('s3')
    const routed = route(
      given({
        method: 'GET',
        path: '/b//a/../%2F+%zz',
        query: 'prefix=%2f+&a',
        headers: { authorization, 'x-amz-date': '20261123T201800Z' },
      }),
    )
    expect(routed.headers).toEqual({
      'x-amz-date': '20261123T201800Z',
      'x-keyhold-authorization': authorization,
      'x-keyhold-host': 'keyhold.example',
      'x-keyhold-path': '/b//a/../%2F+%zz',
      'x-keyhold-query': 'prefix=%2f+&a',
      'x-keyhold-source-ip': '203.0.113.9',
    })
  })

  test('cannot be set by a client', () => {
    const name = fc.string({ minLength: 1 }).map((text) => `x-keyhold-${text}`)
    fc.assert(
      fc.property(fc.dictionary(name, fc.string()), fc.string(), (forged, query) => {
        const honest = route(given({ method: 'GET', path: '/b', query }))
        expect(route(given({ method: 'GET', path: '/b', query, headers: forged }))).toEqual(honest)
      }),
    )
  })

  test('arrives whole, whatever the path and query are', () => {
    const text = fc.string({ unit: 'binary-ascii' })
    fc.assert(
      fc.property(text, text, fc.constantFrom('GET', 'PUT', 'POST'), (tail, query, method) => {
        const { path, headers } = route(given({ method, path: `/${tail}`, query }))
        expect(headers['x-keyhold-path']).toBe(`/${tail}`)
        expect(headers['x-keyhold-query'] ?? '').toBe(query)
        expect(path).toMatch(/^\/(?:(?:kms|s3|cloudtrail)\/[A-Za-z0-9-]+|sts)$/)
      }),
    )
  })

  test('stays in the request that was given', () => {
    const request = given({ headers: { authorization: scopedTo('kms'), 'x-keyhold-path': '/x' } })
    const before = structuredClone(request)
    route(request)
    expect(request).toEqual(before)
  })
})
