/** Whatever is given as a policy is accepted, or refused by a PolicyProblem. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compilePolicy, type PolicyKind, parsePolicy } from '../../../shared/authz/policy.ts'
import { PolicyProblem } from '../../../shared/authz/policy-problem.ts'
import { identityStatement, keyPolicyStatement } from './arbitrary-access.ts'

const KINDS = ['key', 'identity', 'session', 'trust', 'bucket'] as const satisfies PolicyKind[]

/** @returns whether the text is accepted; throws what is no PolicyProblem */
function isAccepted(text: string, kind: PolicyKind): boolean {
  try {
    parsePolicy(text, kind, kind === 'bucket' ? { bucket: 'books' } : {})
    return true
  } catch (error) {
    if (error instanceof PolicyProblem) return false
    throw error
  }
}

function requireUnpolluted(): void {
  expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  expect(Object.keys(Object.prototype)).toEqual([])
  expect(Object.keys(Array.prototype)).toEqual([])
}

const policies = fc
  .tuple(
    fc.constantFrom('2012-10-17', '2008-10-17'),
    fc.array(fc.oneof(identityStatement, keyPolicyStatement), { minLength: 1, maxLength: 3 }),
  )
  .map(([Version, Statement]) => JSON.stringify({ Version, Statement }))

/** What stands in policies, and what does harm where it stands elsewhere. */
const scrap = fc.constantFrom(
  '"__proto__"',
  '"constructor"',
  '"polluted"',
  '"Deny"',
  '"Effect":"Allow",',
  '"*"',
  '${',
  '}',
  '[',
  ']',
  '{',
  ',',
  ':',
  '"',
  '\\',
  '\\u0000',
  '\\ud800',
  'null',
  '1e999',
  '-0',
  '\u0000',
  '\u0100',
  'ForAllValues:',
  'IfExists',
)

const mutated = fc
  .tuple(policies, fc.array(fc.tuple(fc.nat(), fc.nat(6), scrap), { minLength: 1, maxLength: 4 }))
  .map(([text, changes]) =>
    changes.reduce((whole, [at, length, insert]) => {
      const start = at % (whole.length + 1)
      return whole.slice(0, start) + insert + whole.slice(start + length)
    }, text),
  )

/** A policy in which one value is another. */
const transplanted = fc.tuple(policies, fc.json(), fc.nat()).map(([text, value, at]) => {
  const parsed: unknown = JSON.parse(text)
  const places: [Record<string, unknown>, string][] = []
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return
    for (const [name, child] of Object.entries(node)) {
      places.push([node as Record<string, unknown>, name])
      visit(child)
    }
  }
  visit(parsed)
  const [node, name] = places[at % places.length] as (typeof places)[number]
  node[name] = JSON.parse(value)
  return JSON.stringify(parsed)
})

test.each(KINDS)('a %s policy that was changed here and there', (kind) => {
  let accepted = 0
  fc.assert(
    fc.property(fc.oneof(mutated, transplanted, policies), (text) => {
      if (isAccepted(text, kind)) {
        accepted += 1
        expect(compilePolicy(text, kind).statements.length).toBeGreaterThan(0)
      }
      requireUnpolluted()
    }),
    { numRuns: 1500 },
  )
  if (kind === 'key' || kind === 'identity') expect(accepted).toBeGreaterThan(20)
})

test('any JSON, and any text', () => {
  const text = fc.oneof(fc.json(), fc.json({ maxDepth: 20 }), fc.string({ unit: 'binary' }))
  fc.assert(
    fc.property(text, fc.constantFrom(...KINDS), (candidate, kind) => {
      expect(isAccepted(candidate, kind)).toBe(false)
      requireUnpolluted()
    }),
    { numRuns: 2000 },
  )
})
