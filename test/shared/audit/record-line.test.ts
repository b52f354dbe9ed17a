import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LINE_LIMIT, recordLine } from '../../../shared/audit/record-line.ts'
import { givenRecord } from '../../support/audit-records.ts'

const parsed = (differs: Parameters<typeof givenRecord>[0]) =>
  JSON.parse(recordLine(givenRecord(differs)))

test('a record of common size is its own JSON', () => {
  const record = givenRecord()
  expect(recordLine(record)).toBe(JSON.stringify(record))
})

test('a key policy of the largest size is kept whole', () => {
  const policy = '"'.repeat(32_768)
  expect(parsed({ requestParameters: { policy } }).requestParameters).toEqual({ policy })
})

test.each([
  ['requestParameters', 100],
  ['responseElements', 100],
  ['additionalEventData', 28],
])('%s is omitted above %i KB, with a mark', (name, kilobytes) => {
  const filled = (bytes: number) => ({ [name]: { text: 'x'.repeat(bytes - '{"text":""}'.length) } })
  const most = filled(kilobytes * 1024)
  expect(parsed(most)[name]).toEqual(most[name])
  expect(parsed(filled(kilobytes * 1024 + 1))[name]).toEqual({
    omitted: true,
    originalSize: kilobytes * 1024 + 1,
    reason: `${name} too large`,
  })
})

test('a text above 1 KB is cut at a whole character and marked', () => {
  const { userAgent, requestID } = parsed({ userAgent: 'ü'.repeat(600), requestId: 'r' })
  expect(userAgent).toBe(`${'ü'.repeat(506)} [truncated]`)
  expect(requestID).toBe('r')
  expect(parsed({ userAgent: 'ü'.repeat(512) }).userAgent).toBe('ü'.repeat(512))
})

test('an error message above 1 KB is cut', () => {
  const error = { code: 'ValidationException', message: 'm'.repeat(1025) }
  expect(parsed({ error }).errorMessage).toMatch(/^m{1012} \[truncated\]$/)
})

test('a line is JSON, has no line break, and is never above its limit', () => {
  const size = fc.integer({ min: 0, max: 120 * 1024 })
  const fill = fc.constantFrom('x', '\n', 'ü', '\ud83d', '🔑', '\u2028')
  fc.assert(
    fc.property(fill, size, size, size, size, (text, user, request, response, data) => {
      const filled = (length: number) => ({ text: text.repeat(length) })
      const line = recordLine(
        givenRecord({
          userAgent: text.repeat(user),
          requestParameters: filled(request),
          responseElements: filled(response),
          additionalEventData: filled(data),
        }),
      )
      expect(Buffer.byteLength(line)).toBeLessThanOrEqual(LINE_LIMIT)
      expect(line).not.toContain('\n')
      const { userAgent } = JSON.parse(line)
      expect(Buffer.byteLength(userAgent)).toBeLessThanOrEqual(1024)
    }),
    { numRuns: 50 },
  )
})

test('a record that is too large as a whole gives up the less important parts first', () => {
  const structure = { text: 'x'.repeat(99 * 1024) }
  const record = parsed({ requestParameters: structure, responseElements: structure })
  expect(record.responseElements).toMatchObject({ omitted: true })
  expect(record.requestParameters).toEqual(structure)
})

test('resources without end are given up last', () => {
  const resource = { accountId: '111122223333', type: 'AWS::S3::Object', ARN: 'x'.repeat(1024) }
  expect(parsed({ resources: Array(300).fill(resource) }).resources).toEqual([])
})
