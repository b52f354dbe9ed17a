/**
 * The condition operators, without their prefixes and suffix (IAM User Guide, "IAM JSON policy
 * elements: Condition operators"). `Null` is not among them: it looks at presence, not at values.
 */
import { matchesArn, parseArnValue, splitArn } from './arn-pattern.ts'
import { foldCase } from './fold-case.ts'
import { compileGlob, matchesGlob } from './glob.ts'
import {
  parseAddressRange,
  parseBase64,
  parseBoolean,
  parseDecimal,
  parseInstant,
} from './operand.ts'
import { malformed } from './policy-problem.ts'
import { noVariables, parseTemplate, partsOf, textOf, type VariableLookup } from './template.ts'

/** Whether a value of the request fits one value of the policy. A variable without value never fits. */
export type ValueMatcher = (value: string, lookup: VariableLookup) => boolean

export interface ConditionOperator {
  /** Whether the condition holds when none of the policy's values fits, instead of when one does. */
  readonly negated: boolean
  /**
   * @param text - a value of the policy
   * @param variables - whether the policy's version has variables
   * @throws PolicyProblem `malformed` when it is no value for this operator
   */
  readonly compile: (text: string, variables: boolean) => ValueMatcher
}

type Compile = ConditionOperator['compile']

const equals =
  (fold: (text: string) => string): Compile =>
  (text, variables) => {
    const template = parseTemplate(text, { variables, wildcards: false })
    if (template.variables.length === 0) {
      const wanted = fold(textOf(template, noVariables) as string)
      return (value) => fold(value) === wanted
    }
    return (value, lookup) => {
      const wanted = textOf(template, lookup)
      return wanted !== null && fold(value) === fold(wanted)
    }
  }

const like: Compile = (text, variables) => {
  const template = parseTemplate(text, { variables, wildcards: true })
  const globFor = (lookup: VariableLookup) => {
    const parts = partsOf(template, lookup)
    return parts === null ? null : compileGlob(parts)
  }
  const constant = template.variables.length === 0 ? globFor(noVariables) : null
  return (value, lookup) => {
    const glob = constant ?? globFor(lookup)
    return glob !== null && matchesGlob(glob, value)
  }
}

const arn: Compile = (text, variables) => {
  const pattern = parseArnValue(text, variables)
  return (value, lookup) => {
    const fields = splitArn(value)
    return fields !== null && matchesArn(pattern, fields, lookup) === true
  }
}

/** A comparison of operands that are read from text; what cannot be read never fits. */
const compared =
  <Operand>(
    parse: (text: string) => Operand | null,
    compare: (value: Operand, wanted: Operand) => boolean,
  ): Compile =>
  (text) => {
    const wanted = required(parse(text), text)
    return (value) => {
      const operand = parse(value)
      return operand !== null && compare(operand, wanted)
    }
  }

const truth: Compile = (text, variables) => {
  const template = parseTemplate(text, { variables, wildcards: false })
  if (template.variables.length === 0) required(parseBoolean(text), text)
  return (value, lookup) => {
    const wanted = parseBoolean(textOf(template, lookup) ?? '')
    return wanted !== null && parseBoolean(value) === wanted
  }
}

const inRange: Compile = (text) => {
  const contains = required(parseAddressRange(text), text)
  return (value) => contains(value)
}

function required<Operand>(operand: Operand | null, text: string): Operand {
  if (operand === null) throw malformed(`${text} is not a value for its condition operator.`)
  return operand
}

const is = (compile: Compile): ConditionOperator => ({ negated: false, compile })
const isNot = (compile: Compile): ConditionOperator => ({ negated: true, compile })

const same = <Operand>(value: Operand, wanted: Operand): boolean => value === wanted

const orders = (
  family: string,
  parse: (text: string) => number | null,
): [string, ConditionOperator][] => [
  [`${family}Equals`, is(compared(parse, same))],
  [`${family}NotEquals`, isNot(compared(parse, same))],
  [`${family}LessThan`, is(compared(parse, (value, wanted) => value < wanted))],
  [`${family}LessThanEquals`, is(compared(parse, (value, wanted) => value <= wanted))],
  [`${family}GreaterThan`, is(compared(parse, (value, wanted) => value > wanted))],
  [`${family}GreaterThanEquals`, is(compared(parse, (value, wanted) => value >= wanted))],
]

const asWritten = (text: string): string => text

/** By name. */
export const conditionOperators: ReadonlyMap<string, ConditionOperator> = new Map([
  ['StringEquals', is(equals(asWritten))],
  ['StringNotEquals', isNot(equals(asWritten))],
  ['StringEqualsIgnoreCase', is(equals(foldCase))],
  ['StringNotEqualsIgnoreCase', isNot(equals(foldCase))],
  ['StringLike', is(like)],
  ['StringNotLike', isNot(like)],
  ['ArnEquals', is(arn)],
  ['ArnLike', is(arn)],
  ['ArnNotEquals', isNot(arn)],
  ['ArnNotLike', isNot(arn)],
  ['Bool', is(truth)],
  ['BinaryEquals', is(compared(parseBase64, (value, wanted) => value.equals(wanted)))],
  ['IpAddress', is(inRange)],
  ['NotIpAddress', isNot(inRange)],
  ...orders('Numeric', parseDecimal),
  ...orders('Date', parseInstant),
])
