import { createHash, createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import { PassThrough, Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MAX_SIGNED_CHUNK } from '../../../shared/authn/aws-chunked.ts'
import { ChunkedBodyError } from '../../../shared/authn/chunked-body-error.ts'
import type { ChunkSigning, Payload } from '../../../shared/authn/payload.ts'
import { payloadStream, trailersOf } from '../../../shared/authn/payload-stream.ts'

const TIMESTAMP = '20261123T101500Z'
const SCOPE = '20261123/eu-central-1/s3/aws4_request'
const keyBytes = Buffer.alloc(32, 7)
const signing: ChunkSigning = {
  seedSignature: '5e'.repeat(32),
  signingKey: createSecretKey(keyBytes),
  timestamp: TIMESTAMP,
  scope: SCOPE,
}
const UNSIGNED: Payload = { kind: 'unsigned-trailer' }
const SIGNED: Payload = { kind: 'signed-chunks', ...signing }
const SIGNED_TRAILER: Payload = { kind: 'signed-chunks-trailer', ...signing }
const payloads = [UNSIGNED, SIGNED, SIGNED_TRAILER] as const

const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex')
const hmac = (key: KeyObject | Buffer, text: string): string =>
  createHmac('sha256', key).update(text).digest('hex')

/** The parts of a body as a client frames it, so that tests can spoil or leave out one of them. */
function frame(
  payload: Payload,
  chunks: readonly Buffer[],
  trailer: Readonly<Record<string, string>> = { 'x-amz-checksum-crc32': 'AAAAAA==' },
): Buffer[] {
  let previous = signing.seedSignature
  const parts: Buffer[] = []
  const next = (algorithm: string, hashes: string): string => {
    previous = hmac(keyBytes, [algorithm, TIMESTAMP, SCOPE, previous, hashes].join('\n'))
    return previous
  }
  for (const data of [...chunks, Buffer.alloc(0)]) {
    const hashes = `${sha256('')}\n${sha256(data)}`
    const signature =
      payload.kind === 'unsigned-trailer'
        ? ''
        : `;chunk-signature=${next('AWS4-HMAC-SHA256-PAYLOAD', hashes)}`
    parts.push(Buffer.from(`${data.length.toString(16)}${signature}\r\n`))
    if (data.length > 0) parts.push(data, Buffer.from('\r\n'))
  }
  if (payload.kind !== 'signed-chunks') {
    const lines = Object.entries(trailer).map(([name, value]) => `${name}:${value}`)
    for (const line of lines) parts.push(Buffer.from(`${line}\r\n`))
    if (payload.kind === 'signed-chunks-trailer') {
      const text = lines.map((line) => `${line}\n`).join('')
      const signature = next('AWS4-HMAC-SHA256-TRAILER', sha256(text))
      parts.push(Buffer.from(`x-amz-trailer-signature:${signature}\r\n`))
    }
  }
  return [...parts, Buffer.from('\r\n')]
}

/** The same bytes in other pieces. */
function split(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = []
  let at = 0
  for (let turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1
    pieces.push(bytes.subarray(at, at + size))
    at += size
  }
  return pieces
}

const decode = async (
  parts: readonly Buffer[],
  payload: Payload,
  decodedLength: number | null = null,
) => {
  const data = payloadStream(Readable.from(parts), payload, decodedLength)
  return { bytes: await buffer(data), trailers: Object.fromEntries(trailersOf(data)) }
}

const failure = async (
  parts: readonly Buffer[],
  payload: Payload,
  decodedLength: number | null = null,
): Promise<string> => {
  const error = await decode(parts, payload, decodedLength).then(
    () => 'none',
    (thrown: unknown) => thrown,
  )
  return error instanceof ChunkedBodyError ? error.kind : String(error)
}

const bytesOf = (text: string): Buffer => Buffer.from(text)
const chunks = [bytesOf('first'), bytesOf('second')]

describe.each(payloads)('a body of $kind', (payload) => {
  const hasTrailer = payload.kind !== 'signed-chunks'

  test('gives its data, however it is cut into chunks and pieces', async () => {
    const chunk = fc.uint8Array({ minLength: 1, maxLength: 300 }).map((one) => Buffer.from(one))
    const sizes = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 5 })
    await fc.assert(
      fc.asyncProperty(fc.array(chunk, { maxLength: 5 }), sizes, async (data, cuts) => {
        const whole = Buffer.concat(data)
        const pieces = split(Buffer.concat(frame(payload, data)), cuts)
        const { bytes, trailers } = await decode(pieces, payload, whole.length)
        expect(bytes).toEqual(whole)
        expect(trailers).toEqual(hasTrailer ? { 'x-amz-checksum-crc32': 'AAAAAA==' } : {})
      }),
    )
  })

  test('can be empty', async () => {
    expect((await decode(frame(payload, []), payload, 0)).bytes).toHaveLength(0)
  })

  test('is refused wherever it is cut off', async () => {
    const whole = Buffer.concat(frame(payload, chunks))
    // What follows a verified last signature says nothing any more.
    const needed = whole.length - (payload.kind === 'unsigned-trailer' ? 0 : 2)
    for (let length = 0; length < needed; length += 1) {
      expect
        .soft(await failure([whole.subarray(0, length)], payload, 11), `${length}`)
        .toMatch(/^(incomplete|malformed)$/)
    }
  })

  test('is refused with bytes after its end', async () => {
    expect(await failure([...frame(payload, chunks), bytesOf('x\n')], payload)).toBe('malformed')
    expect(await failure([...frame(payload, chunks), bytesOf('x')], payload)).toBe('malformed')
  })

  test('is refused when it is not as long as announced', async () => {
    expect(await failure(frame(payload, chunks), payload, 10)).toBe('incomplete')
    expect(await failure(frame(payload, chunks), payload, 12)).toBe('incomplete')
  })

  test('gives no byte more than was announced', async () => {
    const data = payloadStream(Readable.from(frame(payload, chunks)), payload, 5)
    const given: Buffer[] = []
    data.on('data', (bytes: Buffer) => given.push(bytes))
    await new Promise((resolve) => data.on('error', resolve))
    expect(Buffer.concat(given).length).toBeLessThanOrEqual(5)
  })

  test.each(['', '-5', '0x5', ' 5', '5 ', '5;x=1', 'g', 'fffffffffffffff', '5;chunk-signature=ab'])(
    'is refused with the chunk header "%s"',
    async (header) => {
      const [, ...rest] = frame(payload, chunks)
      expect(await failure([bytesOf(`${header}\r\n`), ...rest], payload)).toBe('malformed')
    },
  )

  test('is refused when a chunk is longer than its header says', async () => {
    const [header = Buffer.alloc(0), , ...rest] = frame(payload, chunks)
    expect(await failure([header, bytesOf('first more'), ...rest], payload)).toBe('malformed')
  })

  test('is refused with a line that does not end', async () => {
    const endless = Array.from({ length: 100 }, () => Buffer.alloc(1024, '0'))
    expect(await failure(endless, payload)).toBe('malformed')
  })
})

describe.each([SIGNED, SIGNED_TRAILER])('a body of $kind', (payload) => {
  test('is refused once a byte of any chunk is another, before that chunk is given', async () => {
    const spoiled = frame(payload, [bytesOf('first'), bytesOf('sECond')])
    const header = frame(payload, chunks)[3] ?? Buffer.alloc(0)
    const parts = spoiled.with(3, header)
    const data = payloadStream(Readable.from(parts), payload, null)
    const given: Buffer[] = []
    data.on('data', (bytes: Buffer) => given.push(bytes))
    const error = await new Promise((resolve) => data.on('error', resolve))
    expect(error).toMatchObject({ kind: 'signature' })
    expect(Buffer.concat(given).toString()).toBe('first')
  })

  test('is refused with chunks in another order', async () => {
    const [a, b, c, d, e, f, ...rest] = frame(payload, chunks) as [
      Buffer,
      Buffer,
      Buffer,
      Buffer,
      Buffer,
      Buffer,
      ...Buffer[],
    ]
    expect(await failure([d, e, f, a, b, c, ...rest], payload)).toBe('signature')
  })

  test('is refused with a chunk left out, or twice', async () => {
    const [a, b, c, ...rest] = frame(payload, chunks) as [Buffer, Buffer, Buffer, ...Buffer[]]
    expect(await failure(rest, payload)).toBe('signature')
    expect(await failure([a, b, c, a, b, c, ...rest], payload)).toBe('signature')
  })

  test('is refused when the chunk that ends it is not signed', async () => {
    const parts = frame(payload, chunks)
    const end = bytesOf(`0;chunk-signature=${'00'.repeat(32)}\r\n`)
    expect(await failure(parts.with(6, end), payload)).toBe('signature')
    expect(await failure(parts.with(6, bytesOf('0\r\n')), payload)).toBe('malformed')
  })

  test('is refused under another signing key, seed, time or scope', async () => {
    const others: Partial<ChunkSigning>[] = [
      { signingKey: createSecretKey(Buffer.alloc(32, 8)) },
      { seedSignature: '00'.repeat(32) },
      { timestamp: '20261123T101501Z' },
      { scope: SCOPE.replace('eu-central-1', 'eu-west-1') },
    ]
    for (const other of others) {
      const changed = { ...payload, ...other } as Payload
      expect(await failure(frame(payload, chunks), changed)).toBe('signature')
    }
  })

  test('is refused with a chunk too large to hold back', async () => {
    const header = `${(MAX_SIGNED_CHUNK + 1).toString(16)};chunk-signature=${'00'.repeat(32)}\r\n`
    expect(await failure([bytesOf(header)], payload)).toBe('malformed')
  })
})

describe('a trailer', () => {
  const trailerAt = 7

  test('that is signed is refused when it is changed, added to or taken away', async () => {
    const parts = frame(SIGNED_TRAILER, chunks)
    const changed = parts.with(trailerAt, bytesOf('x-amz-checksum-crc32:BBBBBB==\r\n'))
    expect(await failure(changed, SIGNED_TRAILER)).toBe('signature')
    const added = parts.toSpliced(trailerAt, 0, bytesOf('x-amz-more:1\r\n'))
    expect(await failure(added, SIGNED_TRAILER)).toBe('signature')
    const taken = parts.toSpliced(trailerAt, 1)
    expect(await failure(taken, SIGNED_TRAILER)).toBe('signature')
  })

  test('that has to be signed and is not is refused', async () => {
    const parts = frame(SIGNED_TRAILER, chunks).toSpliced(trailerAt + 1, 1)
    expect(await failure(parts, SIGNED_TRAILER)).toBe('incomplete')
  })

  test('that is not signed has no signature', async () => {
    const line = bytesOf(`x-amz-trailer-signature:${'00'.repeat(32)}\r\n`)
    const parts = frame(UNSIGNED, chunks).toSpliced(trailerAt + 1, 0, line)
    expect(await failure(parts, UNSIGNED)).toBe('malformed')
  })

  test('is not taken where none was announced', async () => {
    const parts = frame(SIGNED, chunks).toSpliced(trailerAt, 0, bytesOf('x-amz-more:1\r\n'))
    expect(await failure(parts, SIGNED)).toBe('malformed')
  })

  test('gives names in lower case and values without white space around them', async () => {
    const { trailers } = await decode(
      frame(UNSIGNED, chunks, { 'X-Amz-Checksum-CRC32': '  AA AA== ' }),
      UNSIGNED,
    )
    expect(trailers).toEqual({ 'x-amz-checksum-crc32': 'AA AA==' })
  })

  test.each(['no colon', ': no name', 'na me: x', '\u0000: x'])(
    'with the line "%s" is refused',
    async (line) => {
      const parts = frame(UNSIGNED, chunks).toSpliced(trailerAt, 0, bytesOf(`${line}\r\n`))
      expect(await failure(parts, UNSIGNED)).toBe('malformed')
    },
  )

  test('with the same name twice is refused', async () => {
    const parts = frame(UNSIGNED, chunks)
    const twice = parts.toSpliced(trailerAt, 0, parts[trailerAt] ?? Buffer.alloc(0))
    expect(await failure(twice, UNSIGNED)).toBe('malformed')
  })

  test('without end is refused', async () => {
    const lines = Array.from({ length: 200 }, (_, at) => bytesOf(`x-${at}: ${'x'.repeat(60)}\r\n`))
    const parts = frame(UNSIGNED, chunks).toSpliced(trailerAt, 0, ...lines)
    expect(await failure(parts, UNSIGNED)).toBe('malformed')
  })

  test('may have lines that end in a line feed alone', async () => {
    const parts = frame(UNSIGNED, chunks).with(trailerAt, bytesOf('x-amz-checksum-crc32:AA==\n'))
    expect((await decode(parts, UNSIGNED)).trailers).toEqual({ 'x-amz-checksum-crc32': 'AA==' })
  })
})

describe('a body whose hash was signed', () => {
  const whole = bytesOf('first second')
  const HASHED: Payload = { kind: 'hash', sha256: sha256(whole) }

  test('gives its data, however it is cut into pieces', async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(sizes, async (cuts) => {
        expect((await decode(split(whole, cuts), HASHED, whole.length)).bytes).toEqual(whole)
      }),
    )
  })

  test('can be empty', async () => {
    const payload: Payload = { kind: 'hash', sha256: sha256('') }
    expect((await decode([], payload, 0)).bytes).toHaveLength(0)
  })

  test('is refused before its last bytes are given when it is another', async () => {
    const data = payloadStream(Readable.from([bytesOf('first '), bytesOf('sECond')]), HASHED, null)
    const given: Buffer[] = []
    data.on('data', (bytes: Buffer) => given.push(bytes))
    const error = await new Promise((resolve) => data.on('error', resolve))
    expect(error).toMatchObject({ kind: 'sha256-mismatch' })
    expect(Buffer.concat(given).toString()).toBe('first ')
  })

  test('is refused when nothing comes', async () => {
    expect(await failure([], HASHED)).toBe('sha256-mismatch')
  })

  test('is refused when it is not as long as announced', async () => {
    expect(await failure([whole], HASHED, 11)).toBe('incomplete')
    expect(await failure([whole], HASHED, 13)).toBe('incomplete')
  })
})

describe('a body that is not signed', () => {
  const PLAIN: Payload = { kind: 'unsigned' }

  test('is given as it is', async () => {
    expect((await decode(chunks, PLAIN)).bytes.toString()).toBe('firstsecond')
    expect((await decode(chunks, PLAIN, 11)).bytes.toString()).toBe('firstsecond')
  })

  test('is refused when it is not as long as announced', async () => {
    expect(await failure(chunks, PLAIN, 10)).toBe('incomplete')
    expect(await failure(chunks, PLAIN, 12)).toBe('incomplete')
  })
})

describe('a connection', () => {
  test('that is lost ends the data with an error', async () => {
    const body = new PassThrough()
    const data = payloadStream(body, UNSIGNED, null)
    body.write('5\r\nfirst\r\n')
    setImmediate(() => body.destroy())
    await expect(buffer(data)).rejects.toMatchObject({ kind: 'incomplete' })
  })

  test('is left open when the data fails, so that an answer can be given', async () => {
    const body = new PassThrough()
    const data = payloadStream(body, UNSIGNED, null)
    body.write('nonsense\r\n')
    await expect(buffer(data)).rejects.toMatchObject({ kind: 'malformed' })
    expect(body.destroyed).toBe(false)
  })

  test('is read no faster than the data is taken', async () => {
    const sent = { bytes: 0 }
    const chunk = Buffer.concat([bytesOf('10000\r\n'), Buffer.alloc(65_536), bytesOf('\r\n')])
    const body = Readable.from(
      (function* () {
        for (let turn = 0; turn < 200; turn += 1) {
          sent.bytes += chunk.length
          yield chunk
        }
      })(),
      { objectMode: false, highWaterMark: 65_536 },
    )
    const data = payloadStream(body, UNSIGNED, null)
    data.pause()
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(sent.bytes).toBeLessThan(1024 * 1024)
    data.destroy()
  })
})
