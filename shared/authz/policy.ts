/**
 * Policies: parsed once, compiled to immutable values that share nothing with a request. What this
 * evaluator does not understand is refused when a policy is written, never passed over when it is
 * evaluated.
 */
import { LRUCache } from 'lru-cache'
import { PARTITION } from '../ids.ts'
import { RESOURCE_ALIASES } from './condition.ts'
import { foldCase } from './fold-case.ts'
import { type PolicyJson, type PolicyObject, parsePolicyJson } from './policy-json.ts'
import { kindRules, type PolicyKind, type PolicyLimit, policySize } from './policy-kinds.ts'
import { malformed, PolicyProblem } from './policy-problem.ts'
import { invalid, type Principals, principalArns } from './principals.ts'
import { inWordsOf } from './problem-text.ts'
import { parseStatement, type Statement } from './statement.ts'

export type { PolicyKind } from './policy-kinds.ts'
export type { Statement } from './statement.ts'

export interface Policy {
  readonly statements: readonly Statement[]
  /** Everyone it names: ARNs and stable ids, accounts as the ARN of their root. */
  readonly principals: readonly string[]
  /** The identity providers that a trust policy names, by ARN, the public ones by name. */
  readonly providers: readonly string[]
  /** Whether a condition asks for the aliases of the key, which are looked up only then. */
  readonly asksForAliases: boolean
}

/** What a policy has to be beyond its kind. */
export interface Acceptance {
  /** How large it may be, where that is not what its kind says. */
  readonly limit?: PolicyLimit
  /** Whether a principal (as in `Policy.principals`) exists; all do when it is left out. */
  exists?(principal: string): boolean
  /** Of a bucket policy: the bucket, which alone it may speak of. */
  readonly bucket?: string
}

/** IAM quotas: the text of any policy document, white space and all. */
const MAX_DOCUMENT_CHARACTERS = 131_072
/** KMS gives policies back with more white space than they came with; what it gave must compile. */
const MAX_STORED_CHARACTERS = 8 * kindRules.key.limit.size
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
 * @param text - JSON, no larger than its kind's limit (`kindRules`) unless another is given
 * @throws PolicyProblem in the words of the service that takes such policies
 */
export function parsePolicy(text: string, kind: PolicyKind, acceptance: Acceptance = {}): Policy {
  try {
    return accept(text, kind, acceptance)
  } catch (error) {
    throw error instanceof PolicyProblem ? inWordsOf(kind, error) : error
  }
}

function accept(
  text: string,
  kind: PolicyKind,
  { limit = kindRules[kind].limit, exists = () => true, bucket }: Acceptance,
): Policy {
  const isTooLarge =
    text.length > MAX_DOCUMENT_CHARACTERS || policySize(text, limit.counted) > limit.size
  if (isTooLarge) throw tooLarge(limit)
  const policy = compile(text, kind)
  if (!policy.principals.every((principal) => exists(principal))) throw invalid()
  if (kind === 'trust') policy.statements.forEach(requireTrustActions)
  if (bucket !== undefined) {
    for (const statement of policy.statements) requireBucket(statement, bucket)
  }
  return policy
}

const STS_ACTION =
  /^sts:(?:\*|assumerole\*?|assumerolewith(?:saml|webidentity|\*)|tagsession|setsourceidentity|setcontext)$/i

function requireTrustActions({ action }: Statement): void {
  if (action !== null && !action.negated && action.texts.every((text) => STS_ACTION.test(text))) {
    return
  }
  throw malformed('A trust policy has actions of STS only.', 'action-of-other-service')
}

/** Amazon S3 User Guide, "Bucket policies": a policy speaks of its own bucket and what is in it. */
function requireBucket({ action, resource }: Statement, bucket: string): void {
  if (action?.texts.some((text) => text !== '*' && !/^(?:s3|\*):/i.test(text))) {
    throw malformed('A bucket policy has actions of S3 only.', 'action-of-other-service')
  }
  const own = `arn:${PARTITION}:s3:::${bucket}`
  const isOwn = (text: string) => text === own || text === `${own}*` || text.startsWith(`${own}/`)
  if (resource?.texts.every(isOwn)) return
  throw malformed(`A bucket policy speaks of ${own} only.`, 'resource-of-other-bucket')
}

/**
 * The policy for a text that was accepted before. Texts that were compiled before are not again;
 * the memory of them is bounded.
 * @throws PolicyProblem
 */
export function compilePolicy(text: string, kind: PolicyKind): Policy {
  const known = compiled[kind].get(text)
  if (known !== undefined) return known
  if (text.length > MAX_STORED_CHARACTERS) throw tooLarge(kindRules[kind].limit)
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
  session: newCache(),
  trust: newCache(),
  bucket: newCache(),
}

const tooLarge = ({ size }: PolicyLimit) =>
  new PolicyProblem('too-large', `Cannot exceed quota for PolicySize: ${size}`)

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
    principals: namedBy(parsed, principalArns),
    providers: namedBy(parsed, ({ providers }) => [...providers]),
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
  throw malformed(
    `Version must be ${VERSION_WITH_VARIABLES} or ${VERSION_WITHOUT_VARIABLES}.`,
    'version',
  )
}

function statementsOf(json: PolicyJson | undefined, kind: PolicyKind): readonly PolicyJson[] {
  if (json === undefined) throw malformed('A policy must have a Statement.')
  const statements = Array.isArray(json) ? (json as readonly PolicyJson[]) : [json]
  if (statements.length === 0) throw malformed('A policy must have a statement.')
  if (kindRules[kind].strictSids) requireDistinctSids(statements)
  return statements
}

function requireDistinctSids(statements: readonly PolicyJson[]): void {
  const sids = statements.flatMap((statement) => {
    const sid = statement instanceof Map ? statement.get('Sid') : undefined
    return sid === undefined || sid === '' ? [] : [sid]
  })
  if (new Set(sids).size < sids.length) {
    throw malformed('Statements have the same Sid.', 'sid-twice')
  }
}

const namedBy = (
  statements: readonly Statement[],
  names: (principals: Principals) => readonly string[],
): readonly string[] =>
  Object.freeze([
    ...new Set(
      statements.flatMap(({ principal }) =>
        principal === null ? [] : names(principal.principals),
      ),
    ),
  ])
