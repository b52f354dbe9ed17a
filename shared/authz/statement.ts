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
import { malformed } from './policy-problem.ts'
import { noPrincipal, type Principals, parsePrincipals } from './principals.ts'

export type PolicyKind = 'key' | 'identity'

/** Patterns, and whether they say what is meant (`Action`) or what is not (`NotAction`). */
interface Selection<Pattern> {
  readonly negated: boolean
  readonly patterns: readonly Pattern[]
}

export interface Statement {
  readonly effect: 'Allow' | 'Deny'
  /** Always there in a key policy, never in an identity policy. */
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
  requireSid(members.get('Sid'), kind)
  const effect = parseEffect(members.get('Effect'))
  const condition = members.get('Condition')
  return Object.freeze({
    effect,
    principal: parsePrincipal(members, kind, effect),
    action: parseSelection(members, 'Action', kind, parseAction),
    resource: parseSelection(members, 'Resource', kind, (text) =>
      text === '*'
        ? 'everything'
        : parseResourceArn(text, { variables, short: kind === 'identity' }),
    ),
    conditions:
      condition === undefined
        ? []
        : parseConditions(condition, { variables, ofKeyPolicy: kind === 'key' }),
  })
}

/** Whether a statement speaks of the action on the resource under the request's conditions. */
export const applies = (statement: Statement, input: StatementInput): boolean =>
  coversAction(statement, input) &&
  coversResource(statement, input) &&
  statement.conditions.every((holds) => holds(input, statement.effect === 'Deny'))

function requireSid(sid: PolicyJson | undefined, kind: PolicyKind): void {
  if (sid === undefined) return
  if (typeof sid !== 'string') throw malformed('Sid must be text.')
  if (kind === 'identity' && !/^[A-Za-z0-9]*$/.test(sid)) {
    throw malformed(`Sid ${sid} may have letters and digits only.`)
  }
}

function parseEffect(effect: PolicyJson | undefined): Statement['effect'] {
  if (effect === 'Allow' || effect === 'Deny') return effect
  throw malformed('Effect must be Allow or Deny.')
}

function parsePrincipal(
  members: PolicyObject,
  kind: PolicyKind,
  effect: Statement['effect'],
): Statement['principal'] {
  const negated = members.has('NotPrincipal')
  const json = either(members, 'Principal')
  if (kind === 'identity') {
    if (json !== undefined) throw malformed('An identity policy names no principals.')
    return null
  }
  if (json === undefined) throw noPrincipal()
  if (negated && effect === 'Allow') throw malformed('NotPrincipal goes with Deny only.')
  return { negated, principals: parsePrincipals(json) }
}

/** KMS accepts statements without `Action` or `Resource` in a key policy; they have no effect. */
function parseSelection<Pattern>(
  members: PolicyObject,
  name: 'Action' | 'Resource',
  kind: PolicyKind,
  parse: (text: string) => Pattern,
): Selection<Pattern> | null {
  const json = either(members, name)
  if (json === undefined) {
    if (kind === 'key') return null
    throw malformed(`A statement must have ${name} or Not${name}.`)
  }
  const list = Array.isArray(json) ? (json as readonly PolicyJson[]) : [json]
  if (list.length === 0) throw malformed(`${name} is empty.`)
  return {
    negated: members.has(`Not${name}`),
    patterns: list.map((text) => {
      if (typeof text !== 'string') throw malformed(`${name} must be text or a list of texts.`)
      return parse(text)
    }),
  }
}

function either(members: PolicyObject, name: string): PolicyJson | undefined {
  const [plain, negated] = [members.get(name), members.get(`Not${name}`)]
  if (plain !== undefined && negated !== undefined) {
    throw malformed(`A statement has ${name} or Not${name}, not both.`)
  }
  return plain ?? negated
}

function parseAction(text: string): Glob {
  if (!ACTION.test(text)) throw malformed(`${text} is no action.`)
  return parseGlob(foldCase(text))
}

function coversAction({ action }: Statement, input: StatementInput): boolean {
  if (action === null) return false
  const listed = action.patterns.some((pattern) => matchesGlob(pattern, input.action))
  return listed !== action.negated
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
