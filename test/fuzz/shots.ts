/** What is fired at the stack: bytes, and how they are to be taken. */
import fc from 'fast-check'
import { anything, requestGarbage } from '../support/kms-garbage.ts'
import { modelledOperations } from '../support/kms-model.ts'
import type { World } from '../support/kms-world.ts'

export type Shot =
  /** A body for an operation, signed as it should be. */
  | {
      readonly kind: 'call'
      readonly operation: string
      readonly region: string
      readonly body: Buffer
    }
  /** The same, with the head spoiled after it was signed. */
  | {
      readonly kind: 'spoiled'
      readonly operation: string
      readonly body: Buffer
      readonly spoil: string
    }
  /** Bytes on a connection of their own, which then has nothing more to say. */
  | { readonly kind: 'bytes'; readonly operation: string; readonly body: Buffer }

/** Operations that take long, so that most time goes to the others. */
const SELDOM: Readonly<Record<string, number>> = {
  CreateKey: 1,
  CreateCustomKeyStore: 2,
  GenerateDataKeyPair: 2,
  GenerateDataKeyPairWithoutPlaintext: 2,
  GetParametersForImport: 1,
  PutKeyPolicy: 2, // may lock everybody out of a key
  ReplicateKey: 1,
  ScheduleKeyDeletion: 1,
  UpdatePrimaryRegion: 1,
}
const USUAL = 6

const regions = fc.oneof(
  { weight: 20, arbitrary: fc.constant('us-east-1') },
  { weight: 2, arbitrary: fc.constant('us-west-2') },
)

const text = (body: string): Buffer => Buffer.from(body)

/** What JSON.stringify would not write: members twice, bytes that are no UTF-8, far too deep, … */
const mangled = (json: string): fc.Arbitrary<Buffer> =>
  fc.oneof(
    fc.constant(text(json.replace('{', '{"KeyId":"alias/first","__proto__":{"a":1},'))),
    fc.constant(text(json.replace(/}$/, ',"KeyId":null,"constructor":{"prototype":1}}'))),
    fc.nat({ max: Math.max(0, json.length - 1) }).map((at) => text(json.slice(0, at))),
    fc
      .tuple(fc.nat({ max: json.length }), fc.uint8Array({ minLength: 1, maxLength: 8 }))
      .map(([at, bytes]) => Buffer.concat([text(json.slice(0, at)), bytes, text(json.slice(at))])),
    fc.constant(text(json.replaceAll('"', '"\\ud800'))),
    fc.constant(text(`\ufeff${json}`)),
    fc.constant(text(`${json}${json}`)),
    fc.constant(Buffer.from(json, 'utf16le')),
    fc.integer({ min: 1, max: 60_000 }).map((depth) => text('['.repeat(depth))),
    fc
      .integer({ min: 1, max: 20_000 })
      .map((depth) => text(`${'{"KeyId":'.repeat(depth)}1${'}'.repeat(depth)}`)),
    fc
      .integer({ min: 1, max: 1_200_000 })
      .map((length) => text(`{"KeyId":"${'a'.repeat(length)}"}`)),
    fc.integer({ min: 1, max: 40_000 }).map((count) => text(`{"Tags":[${'{},'.repeat(count)}{}]}`)),
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  )

const callOf = (operation: string, world: World): fc.Arbitrary<Shot> => {
  const requests = requestGarbage(operation, world).map((request) => JSON.stringify(request))
  const body = fc.oneof(
    { weight: 30, arbitrary: requests.map(text) },
    { weight: 1, arbitrary: anything.map((value) => text(JSON.stringify(value) ?? '')) },
    { weight: 1, arbitrary: requests.chain(mangled) },
  )
  return fc
    .tuple(regions, body)
    .map(([region, bytes]) => ({ kind: 'call', operation, region, body: bytes }))
}

const SPOILS = [
  'authorization',
  'body',
  'content-type',
  'date',
  'duplicate',
  'host',
  'large-header',
  'length',
  'no-authorization',
  'path',
  'method',
  'service',
  'target',
  'unicode',
] as const

const spoiled: fc.Arbitrary<Shot> = fc
  .tuple(fc.constantFrom(...modelledOperations), anything, fc.constantFrom(...SPOILS))
  .map(([operation, value, spoil]) => ({
    kind: 'spoiled',
    operation,
    body: text(JSON.stringify(value) ?? '{}'),
    spoil,
  }))

const lines = fc.constantFrom(
  'GET / HTTP/1.1\r\nhost: a\r\n\r\n',
  'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nabc',
  'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n',
  'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab',
  'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\n',
  'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n1\r\na\r\n0\r\n\r\n',
  'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n',
  'POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n{}',
  'POST / HTTP/1.1\r\nhost: a\r\nx-amz-target: TrentService.Encrypt\r\ncontent-length: 2\r\n\r\n{}',
  'POST / HTTP/1.1\r\nhost: a\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 24\r\n\r\nAction=GetCallerIdentity',
  'POST /kms/Encrypt HTTP/1.1\r\nhost: a\r\nauthorization: Bearer a.b.c\r\ncontent-length: 2\r\n\r\n{}',
  'POST /kms/%E0%A4%A HTTP/1.1\r\nhost: a\r\n\r\n',
  'OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n',
  'CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\n',
  'PUT /bucket/key HTTP/1.1\r\nhost: s3.localhost\r\ncontent-length: 3\r\n\r\nabc',
  'GET /?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=1 HTTP/1.1\r\nhost: a\r\n\r\n',
  'POST / HTTP/1.0\r\n\r\n',
  'POST / HTTP/9.9\r\nhost: a\r\n\r\n',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
)

const rawBytes: fc.Arbitrary<Shot> = fc
  .oneof(
    lines.map((line) => Buffer.from(line, 'latin1')),
    fc
      .tuple(lines, fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 4 }))
      .map(([line, at, bytes]) => {
        const whole = Buffer.from(line, 'latin1')
        const index = at % whole.length
        return Buffer.concat([whole.subarray(0, index), bytes, whole.subarray(index)])
      }),
    fc.uint8Array({ minLength: 1, maxLength: 400 }).map((bytes) => Buffer.from(bytes)),
  )
  .map((body) => ({ kind: 'bytes', operation: '(bytes)', body }))

/** Everything, in the shares in which it is fired. */
export function shots(world: World): fc.Arbitrary<Shot> {
  const calls = modelledOperations.map((operation) => ({
    weight: SELDOM[operation] ?? USUAL,
    arbitrary: callOf(operation, world),
  }))
  return fc.oneof(
    { weight: 93, arbitrary: fc.oneof(...calls) },
    { weight: 5, arbitrary: spoiled },
    { weight: 2, arbitrary: rawBytes },
  )
}
