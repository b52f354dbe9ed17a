/** What holds of decisions whatever the policies. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decide } from '../../../shared/authz/decide.ts'
import {
  type DrawnAccess,
  drawnAccess,
  identityStatement,
  keyPolicyStatement,
  requestOf,
} from './arbitrary-access.ts'
import { statement, word } from './given.ts'

const decisionOf = (drawn: DrawnAccess) => decide(requestOf(drawn), drawn.grant)
const allowed = (drawn: DrawnAccess): boolean => decisionOf(drawn).allowed

/** The same with another statement in one of its policies, with the effect that is told. */
const extended = (Effect: 'Allow' | 'Deny') =>
  fc
    .tuple(
      drawnAccess,
      identityStatement,
      keyPolicyStatement,
      fc.constantFrom('identity', 'boundary', 'session', 'key'),
      fc.nat(4),
    )
    .filter(([, , one]) => Effect === 'Deny' || !('NotPrincipal' in one))
    .filter(([drawn, , , where]) => drawn[where] !== null)
    .map(([drawn, ofIdentity, ofKey, where, at]) => {
      const more = { ...(where === 'key' ? ofKey : ofIdentity), Effect }
      return { drawn, more: { ...drawn, [where]: drawn[where]?.toSpliced(at, 0, more) } }
    })

describe('whatever the policies', () => {
  test('the same request is decided the same way', () => {
    fc.assert(
      fc.property(drawnAccess, (drawn) => {
        expect(decisionOf(structuredClone(drawn))).toEqual(decisionOf(drawn))
      }),
      { numRuns: 500 },
    )
  })

  test('another Deny never allows what was not allowed', () => {
    fc.assert(
      fc.property(extended('Deny'), ({ drawn, more }) => {
        if (!allowed(drawn)) expect(allowed(more)).toBe(false)
      }),
      { numRuns: 2000 },
    )
  })

  test('another Allow never takes away what was allowed', () => {
    fc.assert(
      fc.property(extended('Allow'), ({ drawn, more }) => {
        if (allowed(drawn)) expect(allowed(more)).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })

  test('the order of statements does not matter', () => {
    fc.assert(
      fc.property(drawnAccess, (drawn) => {
        const reversed = {
          ...drawn,
          identity: drawn.identity.toReversed(),
          boundary: drawn.boundary?.toReversed() ?? null,
          session: drawn.session?.toReversed() ?? null,
          key: drawn.key.toReversed(),
        }
        expect(decisionOf(reversed)).toEqual(decisionOf(drawn))
      }),
      { numRuns: 2000 },
    )
  })

  test('a limit never allows what was not allowed without it', () => {
    fc.assert(
      fc.property(drawnAccess, (drawn) => {
        const free = { ...drawn, session: null }
        if (!allowed(free)) expect(allowed(drawn)).toBe(false)
      }),
      { numRuns: 2000 },
    )
  })

  test('a grant never allows what is denied, nor takes away what is allowed', () => {
    fc.assert(
      fc.property(drawnAccess, (drawn) => {
        const without = decisionOf({ ...drawn, grant: null })
        const decision = decisionOf(drawn)
        if (without.allowed) expect(decision).toEqual(without)
        else if (without.reason === 'explicit-deny') expect(decision.allowed).toBe(false)
      }),
      { numRuns: 2000 },
    )
  })

  test('a caller of another account gets nothing that its own policies do not allow', () => {
    fc.assert(
      fc.property(drawnAccess, (drawn) => {
        const foreign = { ...drawn, who: 'foreign-session', grant: null } as const
        const denying = drawn.identity.map((one) => ({ ...one, Effect: 'Deny' }))
        expect(allowed({ ...foreign, identity: denying })).toBe(false)
        expect(allowed({ ...foreign, identity: [statement({ Action: 'sts:*' })] })).toBe(false)
      }),
    )
  })

  test('an operator gets to no key and no object but by breaking the glass', () => {
    fc.assert(
      fc.property(drawnAccess, (drawn) => {
        const decision = decisionOf({ ...drawn, operator: true })
        if (drawn.grant !== 'break-glass') {
          expect(word(decision)).toBe('implicit-deny in service-control')
        }
      }),
    )
  })
})
