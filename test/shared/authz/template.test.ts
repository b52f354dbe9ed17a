import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compileGlob, matchesGlob } from '../../../shared/authz/glob.ts'
import { PolicyProblem } from '../../../shared/authz/policy-problem.ts'
import { parseTemplate, partsOf, textOf } from '../../../shared/authz/template.ts'

const values = new Map([
  ['aws:username', 'alice'],
  ['aws:userid', 'a*'],
  ['aws:principaltag/team', `\${aws:username}`],
])
const lookup = (key: string) => values.get(key) ?? null

const asText = (text: string, variables = true) =>
  textOf(parseTemplate(text, { variables, wildcards: false }), lookup)

const matches = (pattern: string, text: string, variables = true) => {
  const parts = partsOf(parseTemplate(pattern, { variables, wildcards: true }), lookup)
  return parts === null ? null : matchesGlob(compileGlob(parts), text)
}

test.each([
  ['plain', 'plain'],
  ['', ''],
  [`\${aws:username}`, 'alice'],
  [`\${AWS:UserName}`, 'alice'],
  [`a-\${aws:username}-\${aws:username}`, 'a-alice-alice'],
  [`\${aws:username, 'nobody'}`, 'alice'],
  [`\${aws:PrincipalTag/none, 'nobody'}`, 'nobody'],
  [`\${aws:PrincipalTag/none,''}`, ''],
  [`\${aws:PrincipalTag/none}`, null],
  [`x\${aws:PrincipalTag/none}y`, null],
  [`\${*}\${?}\${$}`, '*?$'],
  ['$ {aws:username} $', '$ {aws:username} $'],
  [`\${aws:PrincipalTag/team}`, `\${aws:username}`],
  ['*?', '*?'],
])('the text %j stands for %j', (text, expected) => {
  expect(asText(text)).toBe(expected)
})

test('without variables, as in version 2008-10-17, all of it is just text', () => {
  expect(asText(`\${aws:username}`, false)).toBe(`\${aws:username}`)
  expect(asText('${', false)).toBe('${')
  expect(matches(`\${*}`, `\${anything}`, false)).toBe(true)
})

test.each([
  '${',
  `\${}`,
  '${aws:username',
  `\${username}`,
  `\${:x}`,
  `\${aws:}`,
  `\${aws:a, b}`,
  `\${aws:a, 'b}`,
  `\${aws:a,'b'c'}`,
  `\${aws:a, '}`,
  `\${aws:\${aws:b}}`,
  `\${**}`,
])('the variable %j is malformed', (text) => {
  expect(() => parseTemplate(text, { variables: true, wildcards: true })).toThrow(PolicyProblem)
})

test.each([
  [`\${aws:username}/*`, 'alice/x', true],
  [`\${aws:userid}`, 'a*', true],
  [`\${aws:userid}`, 'abc', false],
  [`\${*}`, '*', true],
  [`\${*}`, 'x', false],
  [`\${?}*`, '?x', true],
  [`\${?}*`, 'xx', false],
  [`\${aws:PrincipalTag/none}*`, 'x', null],
])('the pattern %j against %j gives %s', (pattern, text, expected) => {
  expect(matches(pattern, text)).toBe(expected)
})

test('what a variable stands for never acts as a wildcard', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (value, text) => {
      const template = parseTemplate(`<\${a:b}>`, { variables: true, wildcards: true })
      const glob = compileGlob(partsOf(template, () => value) ?? [])
      expect(matchesGlob(glob, `<${text}>`)).toBe(value === text)
      expect(matchesGlob(glob, `<${value}>`)).toBe(true)
    }),
  )
})
