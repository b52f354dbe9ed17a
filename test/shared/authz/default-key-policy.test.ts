import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  defaultKeyPolicy,
  renamePrincipals,
  renderPolicy,
} from '../../../shared/authz/default-key-policy.ts'
import { PolicyProblem } from '../../../shared/authz/policy-problem.ts'
import {
  ACCOUNT,
  ADMINISTRATOR,
  ALICE,
  ALICE_ID,
  decided,
  givenCaller,
  givenStranger,
  keyStatement,
  policy,
  ROLE,
  ROLE_ID,
  ROOT,
  SESSION,
  without,
} from './given.ts'

const DEFAULT = `{
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "arn:aws:iam::111122223333:root"
    },
    "Action" : "kms:*",
    "Resource" : "*"
  } ]
}`

test('the default key policy has exactly the text that KMS gives', () => {
  expect(defaultKeyPolicy(ACCOUNT)).toBe(DEFAULT)
})

test('the default key policy leaves the key to the identity policies of its account', () => {
  const resourcePolicy = defaultKeyPolicy(ACCOUNT)
  expect(decided({ resourcePolicy })).toBe('implicit-deny in identity-based')
  expect(decided({ resourcePolicy, caller: givenCaller([ADMINISTRATOR]) })).toBe(
    'allowed by identity-policy',
  )
  expect(decided({ resourcePolicy, caller: givenStranger([ADMINISTRATOR]) })).toBe(
    'implicit-deny in resource-based',
  )
})

test('a policy is given back in the form of the default one, members in their order', () => {
  expect(renderPolicy(JSON.stringify(JSON.parse(DEFAULT)))).toBe(DEFAULT)
  expect(renderPolicy(DEFAULT)).toBe(DEFAULT)
})

test('lists stay on one line, and empty ones are shown', () => {
  const text =
    '{"Statement":[{"Action":["kms:Encrypt","kms:Decrypt"],"Condition":{},"a":[]},{"b":[1.50,true,null]}]}'
  expect(renderPolicy(text)).toBe(`{
  "Statement" : [ {
    "Action" : [ "kms:Encrypt", "kms:Decrypt" ],
    "Condition" : { },
    "a" : [ ]
  }, {
    "b" : [ 1.50, true, null ]
  } ]
}`)
})

test('what is rendered means the same, and rendering it again changes nothing', () => {
  const text = fc.string({
    unit: fc.integer({ min: 0x20, max: 0xff }).map((c) => String.fromCharCode(c)),
  })
  const json = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      text,
      fc.integer(),
      fc.boolean(),
      fc.array(tie('value')),
      fc.dictionary(text, tie('value'), { noNullPrototype: true }),
    ),
  })).value
  fc.assert(
    fc.property(json, (value) => {
      const rendered = renderPolicy(JSON.stringify(value))
      expect(JSON.parse(rendered)).toEqual(value)
      expect(renderPolicy(rendered)).toBe(rendered)
    }),
  )
})

test('what is not a policy as JSON is not rendered', () => {
  expect(() => renderPolicy('{')).toThrow(PolicyProblem)
  expect(() => renderPolicy('{"a":1,"a":2}')).toThrow(PolicyProblem)
})

describe('a policy in which principals go by other names', () => {
  const ids = new Map([
    [ALICE, ALICE_ID],
    [ROLE, ROLE_ID],
    [SESSION, `${ROLE_ID}:ci`],
  ])
  const rename = (name: string): string => ids.get(name) ?? name
  const back = (name: string): string => [...ids].find(([, id]) => id === name)?.[0] ?? name

  const text = renderPolicy(
    policy([
      keyStatement({ Principal: { AWS: [ALICE, ROOT], Service: ALICE } }),
      keyStatement({ Principal: { AWS: ROLE }, Resource: ROLE, Sid: ALICE }),
      keyStatement({ Principal: '*', Condition: { ArnEquals: { 'aws:PrincipalArn': ALICE } } }),
      without('Principal', keyStatement({ Effect: 'Deny', NotPrincipal: { AWS: SESSION } })),
    ]),
  )

  test('differs in its principals only', () => {
    const renamed = JSON.parse(renamePrincipals(text, rename))
    expect(renamed.Statement.map(({ Principal }: { Principal: unknown }) => Principal)).toEqual([
      { AWS: [ALICE_ID, ROOT], Service: ALICE },
      { AWS: ROLE_ID },
      '*',
      undefined,
    ])
    expect(renamed.Statement[3].NotPrincipal).toEqual({ AWS: `${ROLE_ID}:ci` })
    expect(renamed.Statement[1]).toMatchObject({ Resource: ROLE, Sid: ALICE })
    expect(renamed.Statement[2].Condition).toEqual({ ArnEquals: { 'aws:PrincipalArn': ALICE } })
  })

  test('is the same again when they get their names back', () => {
    expect(renamePrincipals(renamePrincipals(text, rename), back)).toBe(text)
  })

  test('of one statement, without a list', () => {
    const one = renamePrincipals(policy(keyStatement({ Principal: { AWS: ALICE } })), rename)
    expect(JSON.parse(one).Statement.Principal).toEqual({ AWS: ALICE_ID })
  })
})
