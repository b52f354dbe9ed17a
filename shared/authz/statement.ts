/**
 * One statement of a policy, compiled: who (Principal), what (Action), on what (Resource), when
 * (Condition), and whether that is allowed or denied (IAM User Guide, "IAM JSON policy element
 * reference").
 */
import { type ArnFields, type ArnPattern, matchesArn, parseResourceArn } from './arn-pattern.ts'
import { type Condition, type ConditionInput, parseConditions } from './condition.ts'
import { foldCase } from './fold-case.ts'
import { type Glob, matchesGlob, parseGlob } from './glob.ts'
import type { PolicyJson, PolicyObject } from './policy-json.ts'
import { kindRules, type PolicyKind } from './policy-kinds.ts'
import { malformed } from './policy-problem.ts'
import { noPrincipal, type Principals, parsePrincipals } from './principals.ts'

/** Patterns, and whether they say what is meant (`Action`) or what is not (`NotAction`). */
interface Selection<Pattern> {
  readonly negated: boolean
  readonly patterns: readonly Pattern[]
  /** The patterns as written. */
  readonly texts: readonly string[]
}

export interface Statement {
  readonly sid: string | null
  readonly effect: 'Allow' | 'Deny'
  /** Always there in a policy of a resource, never in a policy of a principal. */
  readonly principal: { readonly negated: boolean; readonly principals: Principals } | null
  /** `null`: a key policy's statement left it out, and speaks of nothing. */
  readonly action: Selection<Glob> | null
  readonly resource: Selection<'everything' | ArnPattern> | null
  readonly conditions: readonly Condition[]
}

/** What statements are matched against. */
export interface StatementInput extends ConditionInput {
  /** In folded case: `kms:encrypt`. */
  readonly action: string
  /** `null` for operations without a resource, which only `*` covers. */
  readonly resource: ArnFields | null
}

/** The first element of a statement that does not fit a request. */
export type Mismatch = 'principal' | 'action' | 'resource' | Condition

const MEMBERS: ReadonlySet<string> = new Set([
  'Sid',
  'Effect',
  'Principal',
  'NotPrincipal',
  'Action',
  'NotAction',
  'Resource',
  'NotResource',
  'Condition',
])

/** `*`, or a service's name and the name of an action in which wildcards may stand. */
const ACTION = /^(?:\*|\*:\*|[a-zA-Z0-9-]+:[a-zA-Z0-9*?]+)$/

const EVERYTHING = { negated: false, patterns: ['everything'], texts: ['*'] } as const

/**
 * @param variables - whether the policy's version has variables
 * @throws PolicyProblem
 */
export function parseStatement(json: PolicyJson, kind: PolicyKind, variables: boolean): Statement {
  if (!(json instanceof Map)) throw malformed('A statement must be an object.')
  const members = json as PolicyObject
  for (const name of members.keys()) {
    if (!MEMBERS.has(name)) throw malformed(`A statement has no member ${name}.`)
  }
  const sid = parseSid(members.get('Sid'), kind)
  const effect = parseEffect(members.get('Effect'))
  const condition = members.get('Condition')
  return Object.freeze({
    sid,
    effect,
    principal: parsePrincipal(members, kind, effect),
    action: parseSelection(members, 'Action', kindRules[kind].action, parseAction),
    resource: parseResource(members, kind, variables),
    conditions:
      condition === undefined
        ? []
        : parseConditions(condition, { variables, ofKeyPolicy: kind === 'key' }),
  })
}

/**
 * Whether a statement speaks of the action on the resource under the request's conditions.
 * @returns `null` when it does, else what does not fit
 */
export function mismatch(statement: Statement, input: StatementInput): Mismatch | null {
  if (!coversAction(statement, input)) return 'action'
  if (!coversResource(statement, input)) return 'resource'
  const undefinedAnswer = statement.effect === 'Deny'
  for (const condition of statement.conditions) {
    if (!condition.holds(input, undefinedAnswer)) return condition
  }
  return null
}

function parseSid(sid: PolicyJson | undefined, kind: PolicyKind): string | null {
  if (sid === undefined) return null
  if (typeof sid !== 'string') throw malformed('Sid must be text.')
  if (kindRules[kind].strictSids && !/^[A-Za-z0-9]*$/.test(sid)) {
    throw malformed(`Sid ${sid} may have letters and digits only.`, 'sid')
  }
  return sid
}

function parseEffect(effect: PolicyJson | undefined): Statement['effect'] {
  if (effect === 'Allow' || effect === 'Deny') return effect
  throw malformed('Effect must be Allow or Deny.', 'effect')
}

function parsePrincipal(
  members: PolicyObject,
  kind: PolicyKind,
  effect: Statement['effect'],
): Statement['principal'] {
  const types = kindRules[kind].principals
  const negated = members.has('NotPrincipal')
  const json = either(members, 'Principal')
  if (types === null) {
    if (json === undefined) return null
    throw malformed('An identity policy names no principals.', 'principal-forbidden')
  }
  if (json === undefined) throw noPrincipal()
  if (negated && effect === 'Allow') throw malformed('NotPrincipal goes with Deny only.')
  return { negated, principals: parsePrincipals(json, types) }
}

function parseResource(
  members: PolicyObject,
  kind: PolicyKind,
  variables: boolean,
): Statement['resource'] {
  const { resource, shortArns } = kindRules[kind]
  if (resource === 'forbidden') {
    if (either(members, 'Resource') === undefined) return EVERYTHING
    throw malformed('A trust policy names no resources.', 'resource-forbidden')
  }
  return parseSelection(members, 'Resource', resource, (text) =>
    text === '*' ? 'everything' : parseResourceArn(text, { variables, short: shortArns }),
  )
}

/** KMS accepts statements without `Action` or `Resource` in a key policy; they have no effect. */
function parseSelection<Pattern>(
  members: PolicyObject,
  name: 'Action' | 'Resource',
  presence: 'required' | 'optional',
  parse: (text: string) => Pattern,
): Selection<Pattern> | null {
  const part = name === 'Action' ? 'no-action' : 'no-resource'
  const json = either(members, name)
  if (json === undefined) {
    if (presence === 'optional') return null
    throw malformed(`A statement must have ${name} or Not${name}.`, part)
  }
  const list = Array.isArray(json) ? (json as readonly PolicyJson[]) : [json]
  if (list.length === 0) throw malformed(`${name} is empty.`, part)
  const texts = list.map((text) => {
    if (typeof text !== 'string') throw malformed(`${name} must be text or a list of texts.`)
    return text
  })
  return { negated: members.has(`Not${name}`), patterns: texts.map(parse), texts }
}

function either(members: PolicyObject, name: string): PolicyJson | undefined {
  const [plain, negated] = [members.get(name), members.get(`Not${name}`)]
  if (plain !== undefined && negated !== undefined) {
    throw malformed(`A statement has ${name} or Not${name}, not both.`)
  }
  return plain ?? negated
}

function parseAction(text: string): Glob {
  if (ACTION.test(text)) return parseGlob(foldCase(text))
  const colons = text.split(':').length - 1
  if (colons === 0) throw malformed(`${text} is no action.`, 'action-unprefixed')
  throw malformed(`${text} is no action.`, colons > 1 ? 'action-colons' : 'action')
}

function coversAction({ action }: Statement, input: StatementInput): boolean {
  if (action === null) return false
  for (const pattern of action.patterns) {
    if (matchesGlob(pattern, input.action)) return !action.negated
  }
  return action.negated
}

/**
 * A pattern with a variable that has no value covers no resource. Under `NotResource` that would
 * mean all of them; there it makes a Deny apply and an Allow not.
 */
function coversResource({ resource, effect }: Statement, input: StatementInput): boolean {
  if (resource === null) return false
  let unresolved = false
  for (const pattern of resource.patterns) {
    const covers = coveredBy(pattern, input)
    if (covers === true) return !resource.negated
    if (covers === null) unresolved = true
  }
  return resource.negated && (!unresolved || effect === 'Deny')
}

function coveredBy(pattern: 'everything' | ArnPattern, input: StatementInput): boolean | null {
  if (pattern === 'everything') return true
  return input.resource === null ? false : matchesArn(pattern, input.resource, input.lookup)
}
