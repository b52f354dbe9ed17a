import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseIni, withSection } from '../../../cli/connection/ini.ts'

test('Sections are read with their settings, and comments are not', () => {
  const text = [
    '# made by hand',
    '[default]',
    'aws_access_key_id=AKIA1',
    '  ; indented comment',
    'AWS_Secret_Access_Key = a/b=c+d',
    '[profile  team] # the second',
    'region = eu-west-1 # near',
    's3 =',
    '  addressing_style = path',
  ].join('\r\n')
  expect(Object.fromEntries(parseIni(text))).toEqual({
    default: { aws_access_key_id: 'AKIA1', aws_secret_access_key: 'a/b=c+d' },
    'profile team': { region: 'eu-west-1', s3: '' },
  })
})

test('A section that appears twice is one, and what comes later counts', () => {
  expect(parseIni('[a]\nx=1\ny=1\n[b]\n[a]\nx=2\n').get('a')).toEqual({ x: '2', y: '1' })
})

test('Settings before the first section belong to nobody', () => {
  expect(parseIni('x=1\n[a]\n')).toEqual(new Map([['a', {}]]))
})

test('A changed section keeps its other settings, and all other lines stay as they are', () => {
  const before = '# mine\n[a]\nx = 1\nz = 3 # kept\n\n[b]\nx = 2\n'
  expect(withSection(before, 'a', { x: '9', y: '8' })).toBe(
    '# mine\n[a]\nx = 9\ny = 8\nz = 3 # kept\n\n[b]\nx = 2\n',
  )
})

test('A new section comes at the end', () => {
  expect(withSection('', 'a', { x: '1' })).toBe('[a]\nx = 1\n')
  expect(withSection('[b]\ny = 1', 'a', { x: '1' })).toBe('[b]\ny = 1\n\n[a]\nx = 1\n')
})

const name = fc.stringMatching(/^[a-z][a-z0-9_]{0,8}$/)
const value = fc.stringMatching(/^[A-Za-z0-9+/=:.-]{1,20}$/)
const section = fc.dictionary(name, value, { noNullPrototype: true })

test('What is written is read back, and nothing else changes', () => {
  fc.assert(
    fc.property(
      fc.dictionary(name, section, { noNullPrototype: true }),
      name,
      section,
      (all, at, set) => {
        const text = Object.entries(all).reduce(
          (sum, [each, settings]) => withSection(sum, each, settings),
          '',
        )
        const read = Object.fromEntries(parseIni(withSection(text, at, set)))
        expect(read).toEqual({ ...all, [at]: { ...all[at], ...set } })
      },
    ),
  )
})
