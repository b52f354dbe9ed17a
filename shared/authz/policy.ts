/**
 * Policies: parsed once, compiled to immutable values that share nothing with a request. What this
 * evaluator does not understand is refused when a policy is written, never passed over when it is
 * evaluated.
 */
import { LRUCache } from 'lru-cache'
import { RESOURCE_ALIASES } from './condition.ts'
import { foldCase } from './fold-case.ts'
import { type PolicyJson, type PolicyObject, parsePolicyJson } from './policy-json.ts'
import { malformed, PolicyProblem } from './policy-problem.ts'
import { invalid, principalArns } from './principals.ts'
import { type PolicyKind, parseStatement, type Statement } from './statement.ts'

export type { PolicyKind, Statement } from './statement.ts'

export interface Policy {
  readonly statements: readonly Statement[]
  /** Everyone it names: ARNs and stable ids, accounts as the ARN of their root. */
  readonly principals: readonly string[]
  /** Whether a condition asks for the aliases of the key, which are looked up only then. */
  readonly asksForAliases: boolean
}

/** KMS quotas: "Key policy document size". Bytes of UTF-8. */
const MAX_KEY_POLICY_BYTES = 32_768
/** IAM quotas: the size of a managed policy, white space not counted; and of any document's text. */
const MAX_IDENTITY_POLICY_CHARACTERS = 6144
const MAX_DOCUMENT_CHARACTERS = 131_072
/** KMS gives policies back with more white space than they came with; what it gave must compile. */
const MAX_STORED_CHARACTERS = 8 * MAX_KEY_POLICY_BYTES
/**
 * Beyond these many `?`, a policy could make matching slow: `?` is the one wildcard that cannot be
 * looked for by whole texts.
 */
const MAX_SINGLE_WILDCARDS = 512

const VERSION_WITH_VARIABLES = '2012-10-17'
const VERSION_WITHOUT_VARIABLES = '2008-10-17'
const MEMBERS: ReadonlySet<string> = new Set(['Version', 'Id', 'Statement'])

/**
 * Reads a policy as it comes from whoever writes it.
 * @param text - JSON; a key policy of up to 32,768 bytes, an identity policy of up to 6,144
 *   characters that are not white space
 * @param exists - whether a principal (as in `Policy.principals`) exists; all do when it is left out
 * @throws PolicyProblem
 */
export function parsePolicy(
  text: string,
  kind: PolicyKind,
  exists: (principal: string) => boolean = () => true,
): Policy {
  if (isTooLarge(text, kind)) throw tooLarge()
  const policy = compile(text, kind)
  if (!policy.principals.every(exists)) throw invalid()
  return policy
}

/**
 * The policy for a text that was accepted before. Texts that were compiled before are not again;
 * the memory of them is bounded.
 * @throws PolicyProblem
 */
export function compilePolicy(text: string, kind: PolicyKind): Policy {
  const known = compiled[kind].get(text)
  if (known !== undefined) return known
  if (text.length > MAX_STORED_CHARACTERS) throw tooLarge()
  const policy = compile(text, kind)
  compiled[kind].set(text, policy)
  return policy
}

const newCache = () =>
  new LRUCache<string, Policy>({
    max: 2000,
    maxSize: 8 * 1024 * 1024,
    sizeCalculation: (_, text) => text.length + 1,
  })

const compiled: Readonly<Record<PolicyKind, LRUCache<string, Policy>>> = {
  key: newCache(),
  identity: newCache(),
}

function isTooLarge(text: string, kind: PolicyKind): boolean {
  if (kind === 'key') return Buffer.byteLength(text) > MAX_KEY_POLICY_BYTES
  if (text.length > MAX_DOCUMENT_CHARACTERS) return true
  return text.replace(/\s+/g, '').length > MAX_IDENTITY_POLICY_CHARACTERS
}

const tooLarge = () => new PolicyProblem('too-large', 'The policy is larger than policies may be.')

function compile(text: string, kind: PolicyKind): Policy {
  if ((text.match(/\?|\\u003f/gi)?.length ?? 0) > MAX_SINGLE_WILDCARDS) {
    throw malformed(`The policy has more than ${MAX_SINGLE_WILDCARDS} question marks.`)
  }
  const document = parsePolicyJson(text)
  if (!(document instanceof Map)) throw malformed('A policy must be an object.')
  const members = document as PolicyObject
  for (const name of members.keys()) {
    if (!MEMBERS.has(name)) throw malformed(`A policy has no member ${name}.`)
  }
  if (typeof (members.get('Id') ?? '') !== 'string') throw malformed('Id must be text.')
  const variables = hasVariables(members.get('Version'))
  const statements = statementsOf(members.get('Statement'), kind)
  const parsed = statements.map((statement) => parseStatement(statement, kind, variables))
  return Object.freeze({
    statements: Object.freeze(parsed),
    principals: principalsOf(parsed),
    asksForAliases: statements.some(asksForAliases),
  })
}

function asksForAliases(statement: PolicyJson): boolean {
  const conditions = statement instanceof Map ? statement.get('Condition') : undefined
  if (!(conditions instanceof Map)) return false
  return [...conditions.values()].some(
    (keys) =>
      keys instanceof Map && [...keys.keys()].some((key) => foldCase(key) === RESOURCE_ALIASES),
  )
}

function hasVariables(version: PolicyJson | undefined): boolean {
  if (version === VERSION_WITH_VARIABLES) return true
  if (version === undefined || version === VERSION_WITHOUT_VARIABLES) return false
  throw malformed(`Version must be ${VERSION_WITH_VARIABLES} or ${VERSION_WITHOUT_VARIABLES}.`)
}

function statementsOf(json: PolicyJson | undefined, kind: PolicyKind): readonly PolicyJson[] {
  if (json === undefined) throw malformed('A policy must have a Statement.')
  const statements = Array.isArray(json) ? (json as readonly PolicyJson[]) : [json]
  if (statements.length === 0) throw malformed('A policy must have a statement.')
  if (kind === 'identity') requireDistinctSids(statements)
  return statements
}

function requireDistinctSids(statements: readonly PolicyJson[]): void {
  const sids = statements.flatMap((statement) => {
    const sid = statement instanceof Map ? statement.get('Sid') : undefined
    return sid === undefined || sid === '' ? [] : [sid]
  })
  if (new Set(sids).size < sids.length) throw malformed('Statements have the same Sid.')
}

const principalsOf = (statements: readonly Statement[]): readonly string[] =>
  Object.freeze([
    ...new Set(
      statements.flatMap(({ principal }) =>
        principal === null ? [] : principalArns(principal.principals),
      ),
    ),
  ])
