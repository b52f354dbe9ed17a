/** Policies of a seed: JSON as a text, or written out in YAML. */
import { renderPolicy } from '../../../shared/authz/default-key-policy.ts'
import { type PolicyKind, parsePolicy } from '../../../shared/authz/policy.ts'
import { PolicyProblem } from '../../../shared/authz/policy-problem.ts'
import type { PolicyDocument } from '../../../shared/store/records.ts'
import type { SourceValue } from './source.ts'

const NAME = /^[\w+=,.@-]{1,128}$/

/** @returns the text to store. @throws StartProblem for what is no policy of that kind */
export function readPolicy(value: SourceValue, kind: PolicyKind): string {
  const text = value.json()
  try {
    parsePolicy(text, kind)
    return kind === 'key' ? renderPolicy(text) : text
  } catch (error) {
    if (!(error instanceof PolicyProblem)) throw error
    return value.fail(`This policy is not good: ${error.message || error.kind}.`.replace('..', '.'))
  }
}

/** A user's. @throws StartProblem */
export function readPolicies(value: SourceValue): readonly PolicyDocument[] {
  return value.items().map((item) => {
    const { name, document } = item.only('name', 'document')
    return {
      name: (name ?? item.fail('A policy needs a name.')).parsed(policyName, 'a name of a policy'),
      document: readPolicy(document ?? item.fail('A policy needs a document.'), 'identity'),
    }
  })
}

const policyName = (text: string): string | null => (NAME.test(text) ? text : null)
