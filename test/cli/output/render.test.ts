import { expect, test } from 'vitest'
import { jsonLine, jsonText } from '../../../cli/output/json.ts'
import { progressOn } from '../../../cli/output/progress.ts'
import { render, visible } from '../../../cli/output/render.ts'
import { details, table } from '../../../cli/output/view.ts'

const PLAIN = { bold: false }

test('A table has its columns in line, without rules or spaces at the ends', () => {
  const view = table(
    [
      { name: 'a', made: new Date(0) },
      { name: 'longer', made: undefined },
    ],
    { Name: ({ name }) => name, Created: ({ made }) => made },
    'None.',
  )
  expect(render(view, PLAIN)).toBe(
    ['Name    Created', 'a       1970-01-01T00:00:00Z', 'longer  -', ''].join('\n'),
  )
})

test('A table without rows is a sentence', () => {
  expect(render(table([], { Name: () => '' }, 'There is nothing.'), PLAIN)).toBe(
    'There is nothing.\n',
  )
})

test('Details leave out what has no value', () => {
  const view = details({ Name: 'a', Description: '', Boundary: null, Enabled: false, Count: 0 })
  expect(render(view, PLAIN)).toBe('Name     a\nEnabled  no\nCount    0\n')
})

test('Only headings are bold, and only where asked for', () => {
  expect(render(details({ Name: 'a' }), { bold: true })).toBe('\x1b[1mName\x1b[22m  a\n')
})

test('Views that stand together are apart by an empty line', () => {
  expect(render(['one', details({ a: 'b' })], PLAIN)).toBe('one\n\na  b\n')
})

test.each([
  ['\x1b]0;owned\x07', '\\u001b]0;owned\\u0007'],
  ['a\rb', 'a\\u000db'],
  ['\u202egnp.exe', '\\u202egnp.exe'],
  ['\u009b2J', '\\u009b2J'],
  ['line\n\ttab', 'line\n\ttab'],
])('What others wrote cannot steer the terminal: %j', (written, shown) => {
  expect(visible(written)).toBe(shown)
  expect(render(table([written], { A: (text) => text }, ''), PLAIN).split('\n')[1]).toContain(
    shown.split('\n')[0],
  )
})

test('JSON has dates in ISO 8601 and bytes in base64', () => {
  const value = {
    at: new Date(0),
    bytes: Uint8Array.of(1, 2, 3),
    buffer: Buffer.of(255),
    no: undefined,
  }
  expect(JSON.parse(jsonText(value))).toEqual({
    at: '1970-01-01T00:00:00.000Z',
    bytes: 'AQID',
    buffer: '/w==',
  })
  expect(jsonLine(value).match(/\n/g)).toHaveLength(1)
})

test('Progress is told on a terminal, not before a while, and not too often', () => {
  const written: string[] = []
  let now = 0
  const progress = progressOn({ isTTY: true, write: (text) => written.push(text) }, () => now)
  const tellAt = (time: number): void => {
    now = time
    progress.tell(`at ${time}`)
  }
  for (const time of [0, 399, 400, 450, 500]) tellAt(time)
  progress.end()
  expect(written).toEqual(['\r\x1b[Kat 400 …', '\r\x1b[Kat 500 …', '\r\x1b[K'])
})

test('Progress says nothing where there is no terminal', () => {
  const written: string[] = []
  let now = 0
  const progress = progressOn({ write: (text) => written.push(text) }, () => now)
  now = 10_000
  progress.tell('far')
  progress.end()
  expect(written).toEqual([])
})
