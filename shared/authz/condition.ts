/**
 * The `Condition` block of a statement: operator → key → values. Operators and keys are joined by
 * AND, values by OR (IAM User Guide, "Conditions with multiple context keys or values").
 */
import type { ConditionContext } from './condition-context.ts'
import {
  type ConditionOperator,
  conditionOperators,
  type ValueMatcher,
} from './condition-operators.ts'
import { foldCase } from './fold-case.ts'
import { parseBoolean } from './operand.ts'
import type { PolicyJson } from './policy-json.ts'
import { malformed } from './policy-problem.ts'
import type { VariableLookup } from './template.ts'

/** What conditions are evaluated against. */
export interface ConditionInput {
  context(): ConditionContext
  readonly lookup: VariableLookup
}

/** One key under one operator. */
export interface Condition {
  /** As written: `ForAnyValue:StringLikeIfExists`. */
  readonly operator: string
  /** As written: `kms:EncryptionContext:AppName`. */
  readonly key: string
  /** As written, variables and all. */
  readonly wanted: readonly string[]
  /**
   * @param undefinedAnswer - what to answer where the policy language leaves it open: a key that has
   *   several values under an operator for one
   */
  holds(input: ConditionInput, undefinedAnswer: boolean): boolean
}

type Holds = Condition['holds']

interface OperatorName {
  readonly set: 'ForAllValues' | 'ForAnyValue' | null
  readonly base: string
  readonly ifExists: boolean
}

const OPERATOR_NAME = /^(?:(ForAllValues|ForAnyValue):)?([A-Za-z]+?)(IfExists)?$/

/** A key that only identity policies may ask for: key policies are refused when they do. */
export const RESOURCE_ALIASES = 'kms:resourcealiases'

/** Keys that have several values: without a set operator, what they match is undefined. */
const MULTI_VALUED: ReadonlySet<string> = new Set([
  'aws:calledvia',
  'aws:principalorgpaths',
  'aws:principalservicenameslist',
  'aws:tagkeys',
  'kms:encryptioncontextkeys',
  'kms:grantoperations',
  RESOURCE_ALIASES,
  'sts:transitivetagkeys',
])

/**
 * @param options.variables - whether the policy's version has variables
 * @param options.ofKeyPolicy - whether to refuse, as KMS does, what key policies must not ask: what is
 *   for identity policies only, and `ForAllValues` where an absent key would let everyone in
 * @throws PolicyProblem `malformed`
 */
export function parseConditions(
  json: PolicyJson,
  options: { readonly variables: boolean; readonly ofKeyPolicy: boolean },
): readonly Condition[] {
  if (!(json instanceof Map)) throw malformed('Condition must be an object.')
  return [...(json as ReadonlyMap<string, PolicyJson>)].flatMap(([name, keys]) => {
    const operator = parseOperatorName(name)
    if (!(keys instanceof Map) || keys.size === 0) throw malformed(`${name} has no condition keys.`)
    return [...(keys as ReadonlyMap<string, PolicyJson>)].map(([key, values]) => {
      const folded = requireKey(key, operator, options.ofKeyPolicy)
      const wanted = parseValues(values, key)
      const holds = compileCondition(operator, folded, wanted, options.variables)
      return Object.freeze({ operator: name, key, wanted, holds })
    })
  })
}

function parseOperatorName(name: string): OperatorName {
  const [, set, base = '', suffix] = OPERATOR_NAME.exec(name) ?? []
  const isNull = base === 'Null' && set === undefined && suffix === undefined
  if (!isNull && !conditionOperators.has(base)) {
    throw malformed(`${name} is no condition operator.`, 'condition-operator')
  }
  return {
    set: (set as OperatorName['set'] | undefined) ?? null,
    base,
    ifExists: suffix !== undefined,
  }
}

function requireKey(key: string, operator: OperatorName, ofKeyPolicy: boolean): string {
  const folded = foldCase(key)
  if (!/^[^:]+:./.test(folded) || key.includes('${')) {
    throw malformed(`${key} is no condition key.`, 'condition-key')
  }
  if (ofKeyPolicy && folded === RESOURCE_ALIASES) {
    throw malformed(`The condition key ${key} is for identity policies only.`)
  }
  if (MULTI_VALUED.has(folded) && operator.set === null && operator.base !== 'Null') {
    throw malformed(`${key} has several values and needs ForAllValues or ForAnyValue.`)
  }
  if (ofKeyPolicy && operator.set === 'ForAllValues' && isSingleValuedFamily(folded)) {
    throw malformed(`OverlyPermissiveCondition: ForAllValues with the single-valued key ${key}.`)
  }
  return folded
}

const isSingleValuedFamily = (key: string): boolean =>
  key.startsWith('kms:encryptioncontext:') || key.startsWith('aws:requesttag/')

function parseValues(json: PolicyJson, key: string): readonly string[] {
  const list = Array.isArray(json) ? (json as readonly PolicyJson[]) : [json]
  if (list.length === 0) throw malformed(`${key} has no values.`)
  return list.map((value) => {
    if (typeof value === 'string') return value
    if ('unquoted' in value && value.unquoted !== 'null') return value.unquoted
    throw malformed(`${key} has a value that is neither text, number, true nor false.`)
  })
}

function compileCondition(
  { set, base, ifExists }: OperatorName,
  key: string,
  values: readonly string[],
  variables: boolean,
): Holds {
  const operator = conditionOperators.get(base)
  if (operator === undefined) return presence(key, values)
  const fits = compileValues(operator, values, variables)
  return (input, undefinedAnswer) => {
    const given = valuesOf(input, key)
    if (given.length === 0) {
      return ifExists || (set === null ? operator.negated : set === 'ForAllValues')
    }
    const fitsHere = (value: string) => fits(value, input.lookup)
    if (set === 'ForAllValues') return given.every(fitsHere)
    if (set === 'ForAnyValue' || given.length === 1) return given.some(fitsHere)
    return undefinedAnswer
  }
}

function compileValues(
  operator: ConditionOperator,
  values: readonly string[],
  variables: boolean,
): ValueMatcher {
  const matchers = values.map((value) => operator.compile(value, variables))
  return (value, lookup) => matchers.some((matches) => matches(value, lookup)) !== operator.negated
}

/** `Null`: true asks that the request has no such key, false that it has. */
function presence(key: string, values: readonly string[]): Holds {
  const wanted = values.map((value) => {
    const absent = parseBoolean(value)
    if (absent === null) throw malformed('Null takes true or false.')
    return absent
  })
  return (input) => wanted.includes(valuesOf(input, key).length === 0)
}

/** What a request has under the key of a condition, `null` when it has no such key. */
export const givenValues = (
  { key }: Pick<Condition, 'key'>,
  input: Pick<ConditionInput, 'context'>,
): readonly string[] | null => {
  const values = valuesOf(input, foldCase(key))
  return values.length === 0 ? null : values
}

/** None when the request has no such key. */
function valuesOf(input: Pick<ConditionInput, 'context'>, key: string): readonly string[] {
  const found = input.context().get(key) ?? []
  return typeof found === 'string' ? [found] : found
}
