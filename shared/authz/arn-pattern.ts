/**
 * ARNs and patterns of ARNs. Each of the six fields (`arn:partition:service:region:account:resource`)
 * is matched on its own, so that a wildcard never reaches over a colon of the first five (IAM User
 * Guide, "IAM JSON policy elements: Resource" and "ARN condition operators").
 */
import { compileGlob, type Glob, type GlobPart, matchesGlob } from './glob.ts'
import { malformed } from './policy-problem.ts'
import {
  noVariables,
  parseTemplate,
  partsOf,
  type Template,
  type VariableLookup,
} from './template.ts'

/** The six fields of an ARN. */
export type ArnFields = readonly string[]

export interface ArnPattern {
  readonly template: Template
  /** The pattern's fields, when no variable has a say in them. */
  readonly fields: readonly Glob[] | null
}

const FIELDS = 6

/** @returns the six fields, or `null` when the text is not an ARN */
export function splitArn(text: string): ArnFields | null {
  const fields = text.split(':')
  if (fields.length < FIELDS || fields[0] !== 'arn') return null
  return [...fields.slice(0, FIELDS - 1), fields.slice(FIELDS - 1).join(':')]
}

/**
 * A `Resource` other than `*`. The service must be spelled out, and variables may stand in the last
 * field only.
 * @param options.short - whether fields may be missing at the end; they match anything
 * @throws PolicyProblem `malformed`
 */
export function parseResourceArn(
  text: string,
  options: { readonly variables: boolean; readonly short: boolean },
): ArnPattern {
  const given = text.split(':')
  const head = given.slice(0, FIELDS - 1)
  const [prefix, partition, service] = head
  const complete = given.length >= FIELDS || (options.short && given.length >= 3)
  if (prefix !== 'arn' || !partition || !service || !complete) {
    throw malformed(`Resource ${text} must be in ARN format or "*".`, 'resource')
  }
  if (/[*?]/.test(service)) {
    throw malformed(`Resource ${text} has a wildcard as its service.`, 'resource-vendor')
  }
  if (options.variables && head.some((field) => field.includes('${'))) {
    throw malformed(`Resource ${text} has a policy variable before its last field.`, 'resource')
  }
  const missing = ':*'.repeat(Math.max(0, FIELDS - given.length))
  return patternOf(parseTemplate(text + missing, { ...options, wildcards: true }), text)
}

/**
 * The value of an `Arn…` condition. Variables may stand for any of it, also for all of it.
 * @throws PolicyProblem `malformed`
 */
export const parseArnValue = (text: string, variables: boolean): ArnPattern =>
  patternOf(parseTemplate(text, { variables, wildcards: true }), text)

/** @returns whether the ARN fits, `null` when a variable of the pattern has no value */
export function matchesArn(
  pattern: ArnPattern,
  arn: ArnFields,
  lookup: VariableLookup,
): boolean | null {
  const fields = pattern.fields ?? fieldsOf(pattern.template, lookup)
  if (fields === null) return null
  return fields.length === FIELDS && fields.every((glob, i) => matchesGlob(glob, arn[i] as string))
}

function patternOf(template: Template, text: string): ArnPattern {
  if (template.variables.length > 0) return { template, fields: null }
  const fields = fieldsOf(template, noVariables)
  if (fields?.length !== FIELDS) throw malformed(`${text} must be in ARN format.`)
  return { template, fields }
}

function fieldsOf(template: Template, lookup: VariableLookup): readonly Glob[] | null {
  const parts = partsOf(template, lookup)
  if (parts === null) return null
  const fields: GlobPart[][] = [[]]
  for (const part of parts) {
    if (typeof part === 'string') addText(part, fields)
    else fields.at(-1)?.push(part)
  }
  return fields.map(compileGlob)
}

/** Goes on to the next field at a colon, until the last. */
function addText(text: string, fields: GlobPart[][]): void {
  let from = 0
  for (let colon = text.indexOf(':'); colon >= 0 && fields.length < FIELDS; ) {
    fields.at(-1)?.push(text.slice(from, colon))
    fields.push([])
    from = colon + 1
    colon = text.indexOf(':', from)
  }
  fields.at(-1)?.push(text.slice(from))
}
