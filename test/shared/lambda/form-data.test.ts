import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { boundaryOf, FormError, readForm } from '../../../shared/lambda/form-data.ts'

const BOUNDARY = 'x-boundary'
const options = { boundary: BOUNDARY, fileField: 'file', limit: 20_000 }

/** The bytes in pieces, cut at these places. */
function cut(bytes: Buffer, places: readonly number[]): Readable {
  const at = [0, ...places.map((place) => place % (bytes.length + 1)), bytes.length]
  const sorted = at.sort((a, b) => a - b)
  const pieces = sorted.slice(1).map((end, index) => bytes.subarray(sorted[index], end))
  return Readable.from(pieces, { objectMode: false })
}
const formOf = (body: string, more: Partial<typeof options> = {}) =>
  readForm(cut(Buffer.from(body), []), { ...options, ...more })
const part = (head: string, value: string): string => `--${BOUNDARY}\r\n${head}\r\n\r\n${value}\r\n`
const field = (name: string, value: string): string =>
  part(`Content-Disposition: form-data; name="${name}"`, value)
const END = `--${BOUNDARY}--\r\n`
const FILE = 'Content-Disposition: form-data; name="file"; filename="a.txt"'
const kindOf = (attempt: Promise<unknown>) =>
  attempt.then(
    () => 'read',
    (error: unknown) => (error instanceof FormError ? error.kind : error),
  )

describe('A form', () => {
  test('is given back whatever it holds and wherever its bytes are cut', async () => {
    const name = fc.stringMatching(/^[a-z0-9$-]{1,12}$/).filter((text) => text !== 'file')
    const value = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 50 }),
      fc.constantFrom('\r\n', '--', '\r\n--', `--${BOUNDARY}`, '\r\n--x-boundar', '\r\n\r\n'),
    )
    // The delimiter cut short, many times over, is what a reader is most likely to stumble upon.
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc
        .array(fc.constantFrom('\r', '\n', '-', '\r\n--', '\r\n--x-bound', 'x'), { maxLength: 40 })
        .map((pieces) => Buffer.from(pieces.join(''))),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(name, value), { maxLength: 5 }),
        bytes,
        fc.array(fc.nat(), { maxLength: 30 }),
        fc.constantFrom('', 'preamble\r\n', '\r\n'),
        fc.constantFrom('', '\r\nepilogue', `\r\n${field('late', 'x')}`),
        async (fields, file, places, before, after) => {
          const body = Buffer.concat([
            Buffer.from(before + fields.map((pair) => field(...pair)).join('')),
            Buffer.from(`--${BOUNDARY}\r\n${FILE}\r\n\r\n`),
            file,
            Buffer.from(`\r\n${END}${after}`),
          ])
          const form = await readForm(cut(body, places), options)
          expect(form.fields).toEqual(fields.map(([name, value]) => ({ name, value })))
          expect(form.file?.filename).toBe('a.txt')
          expect(
            (await buffer(form.file?.data ?? Readable.from([]))).equals(Buffer.from(file)),
          ).toBe(true)
        },
      ),
    )
  })

  test('that is cut anywhere is not taken for whole', async () => {
    const body = Buffer.from(`${field('a', 'b')}${part(FILE, 'text')}--${BOUNDARY}--`)
    const whole = body.indexOf(`\r\n--${BOUNDARY}--`) + `\r\n--${BOUNDARY}`.length
    for (let length = 0; length < whole; length++) {
      const attempt = readForm(cut(body.subarray(0, length), []), options).then(({ file }) =>
        buffer(file?.data ?? Readable.from([])),
      )
      expect(await kindOf(attempt)).toBe('incomplete')
    }
  })

  test('never fails otherwise than as a form, whatever its bytes', async () => {
    const noise = fc.array(
      fc.constantFrom(
        '--x-boundary',
        '\r\n',
        '--',
        ': ',
        'Content-Disposition: form-data',
        '; name="',
        '"',
        'é',
        '\0',
        ';',
        'file',
      ),
      { maxLength: 40 },
    )
    await fc.assert(
      fc.asyncProperty(noise, fc.array(fc.nat(), { maxLength: 5 }), async (pieces, places) => {
        const attempt = readForm(cut(Buffer.from(pieces.join('')), places), options).then(
          ({ file }) => buffer(file?.data ?? Readable.from([])),
        )
        expect(['read', 'malformed', 'incomplete', 'too-large']).toContain(await kindOf(attempt))
      }),
    )
  })

  test('may have none of a file, and nothing at all', async () => {
    expect(await formOf(`${field('a', 'b')}${END}`)).toEqual({
      fields: [{ name: 'a', value: 'b' }],
      file: null,
    })
    expect(await formOf(END)).toEqual({ fields: [], file: null })
  })

  test('is read no further than its file', async () => {
    const endless = Readable.from(
      (function* () {
        yield Buffer.from(field('a', 'b'))
        yield Buffer.from(`--${BOUNDARY}\r\n${FILE}\r\n\r\n`)
        for (;;) yield Buffer.alloc(1024)
      })(),
    )
    const { fields } = await readForm(endless, options)
    expect(fields).toHaveLength(1)
    endless.destroy()
  })

  test.each([
    ['field names in quotes with quotes', 'name="a\\"b"', 'a"b', ''],
    ['names without quotes', 'name=ab; filename=c', 'ab', 'c'],
    ['parameters in any order and spelling', 'FileName="c"; NAME="ab"', 'ab', 'c'],
    ['paths of Windows', 'name="ab"; filename="C:\\x\\y.txt"', 'ab', 'C:\\x\\y.txt'],
    ['names that are not ASCII', 'name="é😀"; filename="å"', 'é😀', 'å'],
    ['semicolons in quotes', 'name="a;b"; filename="c; name=d"', 'a;b', 'c; name=d'],
  ])('may have %s', async (_what, parameters, name, filename) => {
    const body = `${part(`content-disposition:form-data; ${parameters}`, 'v')}${END}`
    const fileField = name.toLowerCase()
    const form = await formOf(body, { fileField })
    expect(form.file?.filename).toBe(filename)
    expect((await formOf(body)).fields[0]?.name).toBe(name)
  })
})

describe('What is no form', () => {
  test.each([
    ['a part without a head', `--${BOUNDARY}\r\n\r\nvalue\r\n${END}`],
    ['a part without a name', `${part('Content-Disposition: form-data; filename="x"', 'v')}${END}`],
    [
      'a part of another disposition',
      `${part('Content-Disposition: attachment; name="x"', 'v')}${END}`,
    ],
    ['two names', `${part('Content-Disposition: form-data; name="x"; name="y"', 'v')}${END}`],
    ['two dispositions', `${part(`${FILE}\r\n${FILE}`, 'v')}${END}`],
    ['a line that is no header', `${part(`${FILE}\r\nwords`, 'v')}${END}`],
    [
      'an encoding that changes bytes',
      `${part(`${FILE}\r\nContent-Transfer-Encoding: base64`, 'dGV4dA==')}${END}`,
    ],
    ['quotes that do not end', `${part('Content-Disposition: form-data; name="x', 'v')}${END}`],
    ['more on the line of the boundary', `--${BOUNDARY}x\r\n${FILE}\r\n\r\nv\r\n${END}`],
  ])('%s is malformed', async (_what, body) => {
    expect(await kindOf(formOf(body))).toBe('malformed')
  })

  test('bytes that are not UTF-8 are malformed', async () => {
    const [head, tail] = field('a', '|').split('|')
    const body = Buffer.concat([
      Buffer.from(head ?? ''),
      Buffer.from([0xff]),
      Buffer.from(`${tail}${END}`),
    ])
    expect(await kindOf(readForm(cut(body, []), options))).toBe('malformed')
  })

  test.each([
    ['a field', field('a', 'x'.repeat(200))],
    ['many fields', field('a', 'b').repeat(10)],
    ['a head', part(`${FILE}\r\nX: ${'x'.repeat(200)}`, 'v')],
    ['a preamble', 'x'.repeat(200)],
    ['the line of a boundary', `--${BOUNDARY}${' '.repeat(200)}`],
  ])('%s beyond the limit is too large', async (_what, body) => {
    expect(await kindOf(formOf(`${body}\r\n${END}`, { limit: 100 }))).toBe('too-large')
  })

  test('the size of the file has no limit here', async () => {
    const form = await formOf(`${part(FILE, 'x'.repeat(50_000))}${END}`, { limit: 100 })
    expect((await buffer(form.file?.data ?? Readable.from([]))).length).toBe(50_000)
  })
})

describe('The boundary', () => {
  test.each([
    ['multipart/form-data; boundary=abc', 'abc'],
    ['Multipart/Form-Data;boundary="a b"', 'a b'],
    ['multipart/form-data; charset=utf-8; BOUNDARY=abc', 'abc'],
    [`multipart/form-data; boundary=${'x'.repeat(70)}`, 'x'.repeat(70)],
    [`multipart/form-data; boundary=${'x'.repeat(71)}`, null],
    ['multipart/form-data; boundary="a "', null],
    ['multipart/form-data; boundary=""', null],
    ['multipart/form-data; boundary="a\u00e9"', null],
    ['multipart/form-data; boundary=a; boundary=b', null],
    ['multipart/form-data', null],
    ['multipart/mixed; boundary=abc', null],
    ['', null],
  ])('of %s is %j', (type, boundary) => {
    expect(boundaryOf(type)).toBe(boundary)
  })
})
