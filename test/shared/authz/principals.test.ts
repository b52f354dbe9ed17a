import { describe, expect, test } from 'vitest'
import type { Caller } from '../../../shared/authn/caller.ts'
import { parsePolicyJson } from '../../../shared/authz/policy-json.ts'
import { addresses, addressesProvider, parsePrincipals } from '../../../shared/authz/principals.ts'
import { principalIdOf } from '../../../shared/ids.ts'
import {
  ADMINISTRATOR,
  ALICE,
  ALICE_ID,
  boundary,
  givenCaller,
  givenForeignSession,
  givenSession,
  givenStranger,
  OTHER_ROOT,
  ROLE,
  ROLE_ID,
  ROOT,
  SESSION,
} from './given.ts'

const ALL = new Set(['AWS', 'Service', 'Federated'] as const)
const element = (json: unknown, negated = false) => ({
  negated,
  principals: parsePrincipals(parsePolicyJson(JSON.stringify(json)), ALL),
})
const alice = givenCaller()
const session = givenSession()
const FEDERATED = 'arn:aws:sts::111122223333:federated-user/alice'
/** Who came by a federation token: by its own name, with the policies of the user. */
const federated = givenCaller([], { arn: FEDERATED, userId: '111122223333:alice' })

describe('a principal', () => {
  test.each<[unknown, Caller, string | null]>([
    ['*', alice, 'caller'],
    ['*', session, 'caller'],
    [{ AWS: '*' }, givenStranger(), 'caller'],
    [{ AWS: ALICE }, alice, 'caller'],
    [{ AWS: ALICE_ID }, alice, 'caller'],
    [{ AWS: ALICE }, session, null],
    [{ AWS: ROLE }, session, 'role'],
    [{ AWS: ROLE_ID }, session, 'role'],
    [{ AWS: SESSION }, session, 'caller'],
    [{ AWS: `${ROLE_ID}:ci` }, session, 'caller'],
    [{ AWS: `${ROLE_ID}:cd` }, session, null],
    [{ AWS: [ROLE, SESSION] }, session, 'caller'],
    [{ AWS: 'arn:aws:sts::111122223333:assumed-role/Deploy/cd' }, session, null],
    [{ AWS: 'arn:aws:sts::111122223333:assumed-role/Other/ci' }, session, null],
    [{ AWS: 'arn:aws:iam::111122223333:role/Deploy' }, session, null],
    [{ AWS: 'arn:aws:iam::111122223333:role/team/deploy' }, session, null],
    [{ AWS: 'arn:aws:iam::444455556666:role/team/Deploy' }, session, null],
    [{ AWS: ROLE }, givenForeignSession(), null],
    [{ AWS: 'arn:aws:iam::111122223333:user/team/Deploy' }, session, null],
    [{ AWS: ROOT }, session, 'account'],
    [{ AWS: '111122223333' }, session, 'account'],
    [{ AWS: ROOT }, givenForeignSession(), null],
    [{ AWS: OTHER_ROOT }, givenForeignSession(), 'account'],
    [{ AWS: [ROOT, ROLE] }, session, 'role'],
    [{ AWS: [ROOT, ALICE] }, alice, 'caller'],
    [{ AWS: FEDERATED }, federated, 'caller'],
    [{ AWS: ALICE }, federated, 'role'],
    [{ AWS: FEDERATED }, alice, null],
    [{ Service: 's3.amazonaws.com' }, alice, null],
    [{ Federated: 'accounts.google.com' }, session, null],
  ])('%j', (json, caller, expected) => {
    expect(addresses(element(json), caller)).toBe(expected)
  })

  test('that was made anew under an old name is not the one whose stable id is named', () => {
    const anew = givenSession([], {
      principalId: principalIdOf('AROANEWROLEEXAMPLE000'),
      userId: 'AROANEWROLEEXAMPLE000:ci',
    })
    expect(addresses(element({ AWS: [ROLE_ID, `${ROLE_ID}:ci`] }), anew)).toBeNull()
  })
})

describe('all but a principal', () => {
  const limited = { boundary: boundary(ADMINISTRATOR) }

  test.each<[unknown, Caller, boolean]>([
    ['*', alice, false],
    [{ AWS: [ALICE, ROOT] }, alice, false],
    [{ AWS: [ALICE_ID, ROOT] }, alice, false],
    [{ AWS: ALICE }, alice, true],
    [{ AWS: ROOT }, alice, true],
    [{ AWS: [ROOT, ROLE, SESSION] }, session, false],
    [{ AWS: [ROOT, ROLE_ID, `${ROLE_ID}:ci`] }, session, false],
    [{ AWS: [ROOT, ROLE] }, session, true],
    [{ AWS: [ROOT, SESSION] }, session, true],
    [{ AWS: [ROLE, SESSION] }, session, true],
    [{ AWS: [OTHER_ROOT, ROLE, SESSION] }, session, true],
    ['*', givenCaller([], limited), true],
    [{ AWS: [ALICE, ROOT] }, givenCaller([], limited), true],
    [{ AWS: [ROOT, ROLE, SESSION] }, givenSession([], limited), true],
  ])('%j', (json, caller, speaksOfCaller) => {
    expect(addresses(element(json, true), caller)).toBe(speaksOfCaller ? 'caller' : null)
  })
})

describe('an identity provider', () => {
  const ARN = 'arn:aws:iam::111122223333:oidc-provider/oidc.example.com/team'
  const names = [ARN, 'oidc.example.com/team']

  test.each<[unknown, boolean, boolean]>([
    [{ Federated: ARN }, true, true],
    [{ Federated: ['accounts.google.com', ARN] }, true, true],
    [{ Federated: ARN.replace('/team', '') }, false, false],
    [{ Federated: ARN.replace('1111', '4444') }, false, false],
    [{ Federated: 'accounts.google.com' }, false, false],
    [{ AWS: ROOT }, false, false],
    ['*', false, true],
  ])('%j', (json, byAllow, byDeny) => {
    expect(addressesProvider(element(json), names, 'Allow')).toBe(byAllow)
    expect(addressesProvider(element(json), names, 'Deny')).toBe(byDeny)
  })

  test('is spared by a NotPrincipal that names it or everyone', () => {
    expect(addressesProvider(element({ Federated: ARN }, true), names, 'Deny')).toBe(false)
    expect(addressesProvider(element('*', true), names, 'Deny')).toBe(false)
    expect(addressesProvider(element({ AWS: ROOT }, true), names, 'Deny')).toBe(true)
  })

  test('that is public goes by its name', () => {
    const google = element({ Federated: 'accounts.google.com' })
    expect(addressesProvider(google, [ARN, 'accounts.google.com'], 'Allow')).toBe(true)
  })
})
