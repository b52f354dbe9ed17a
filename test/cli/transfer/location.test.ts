import { normalize, relative, resolve, sep } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isPathBelow, parseObjectName, withNameOf } from '../../../cli/transfer/location.ts'

test('Objects are named by URL, everything else is a file', () => {
  expect(parseObjectName('s3://bucket/a/b')).toEqual({ bucket: 'bucket', key: 'a/b' })
  expect(parseObjectName('s3://bucket')).toEqual({ bucket: 'bucket', key: '' })
  expect(parseObjectName('s3://bucket/')).toEqual({ bucket: 'bucket', key: '' })
  expect(parseObjectName('s3://bucket/ä\n')).toEqual({ bucket: 'bucket', key: 'ä\n' })
  expect(parseObjectName('./s3/file')).toBeNull()
  for (const text of ['s3:', 's3://', 's3:///key', 's3:/bucket/key']) {
    expect(() => parseObjectName(text)).toThrow('s3://bucket/key')
  }
})

test('What ends where a name would begin gets the name of what is copied', () => {
  expect(withNameOf('', 'dir/file')).toBe('file')
  expect(withNameOf('a/', 'dir/file')).toBe('a/file')
  expect(withNameOf('a', 'dir/file')).toBe('a')
})

test.each([
  '',
  '/etc/passwd',
  '../up',
  'a/../../up',
  'a//b',
  './a',
  'a/.',
  '..',
  'C:\\a',
  'a\\b',
  'a\0',
])('%j is no path below a directory', (name) => {
  expect(isPathBelow(name)).toBe(false)
})

test('What is a path below a directory leads nowhere else', () => {
  const steps = fc.array(fc.oneof(fc.constantFrom('..', '.', '', 'a', 'b.c'), fc.string()))
  fc.assert(
    fc.property(steps, (parts) => {
      const name = parts.join('/')
      if (!isPathBelow(name)) return
      expect(relative('/base', resolve('/base', name))).toBe(normalize(name))
      expect(resolve('/base', name).startsWith(`${sep}base${sep}`)).toBe(true)
    }),
  )
})
