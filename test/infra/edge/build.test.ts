import { runInNewContext } from 'node:vm'
import { beforeAll, expect, test } from 'vitest'
import { buildEdge, MAX_EDGE_BYTES } from '../../../infra/edge/build.ts'

const IMPORT = "import cf from 'cloudfront';"

interface Header {
  value: string
  multiValue?: { value: string }[]
}

let code = ''

beforeAll(async () => {
  code = await buildEdge()
})

/** Runs the built function as CloudFront does. @returns the request it gives, and the chosen origin */
function run(given: {
  method: string
  uri: string
  query?: string
  headers?: Record<string, Header>
}) {
  const chosen: string[] = []
  const cf = { selectRequestOriginById: (id: string) => chosen.push(id) }
  const request = {
    method: given.method,
    uri: given.uri,
    querystring: { parsed: { value: 'by CloudFront' } } as unknown,
    rawQueryString: () => given.query,
    headers: { host: { value: 'd1.cloudfront.net' }, ...given.headers },
  }
  const event = { viewer: { ip: '203.0.113.9' }, request }
  const script = `${code.slice(IMPORT.length)};handler(event)`
  const result = runInNewContext(script, { event, cf }) as typeof request
  return { request: result, chosen }
}

test('The built function fits what CloudFront takes and imports nothing but its module', () => {
  expect(code.startsWith(IMPORT)).toBe(true)
  expect(code.slice(IMPORT.length)).not.toMatch(/\b(?:import|require|export)\b/)
  expect(Buffer.byteLength(code)).toBeLessThanOrEqual(MAX_EDGE_BYTES)
})

test('The built function holds nothing that serverless.yml would take for a variable', () => {
  expect(code).not.toContain('${')
})

test('The built function routes a call of KMS to the default origin', () => {
  const headers = {
    authorization: { value: 'AWS4-HMAC-SHA256 Credential=A/20261123/us-east-1/kms/aws4_request' },
    'x-amz-target': { value: 'TrentService.Encrypt' },
    'x-keyhold-path': { value: '/forged' },
    'x-keyhold-origin-secret': { value: 'guessed' },
  }
  const { request, chosen } = run({ method: 'POST', uri: '/', headers })
  expect(request.uri).toBe('/kms/Encrypt')
  expect(request.querystring).toBe('')
  expect(request.headers).toEqual({
    host: { value: 'd1.cloudfront.net' },
    'x-amz-target': { value: 'TrentService.Encrypt' },
    'x-keyhold-authorization': headers.authorization,
    'x-keyhold-host': { value: 'd1.cloudfront.net' },
    'x-keyhold-path': { value: '/' },
    'x-keyhold-source-ip': { value: '203.0.113.9' },
  })
  expect(chosen).toEqual([])
})

test('The built function sends what is for S3 to the origin that streams, with the raw query', () => {
  const query = 'list-type=2&prefix=a%2Fb+c'
  const { request, chosen } = run({ method: 'GET', uri: '/ledger', query })
  expect(request.uri).toBe('/s3/ListObjectsV2')
  expect(request.headers['x-keyhold-query' as 'host']).toEqual({ value: query })
  expect(chosen).toEqual(['blobs'])
})

test('The built function joins a header that came twice', () => {
  const { request } = run({
    method: 'POST',
    uri: '/',
    headers: {
      authorization: { value: 'one', multiValue: [{ value: 'one' }, { value: 'two' }] },
    },
  })
  expect(request.headers['x-keyhold-authorization' as 'host']).toEqual({ value: 'one,two' })
})
