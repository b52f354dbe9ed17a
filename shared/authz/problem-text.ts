/**
 * What services say of policies that they do not accept: the texts of the live services, where they
 * are known. KMS has a word for few things; what it says of the rest is told by `PolicyProblem.text`.
 */
import type { PolicyKind } from './policy-kinds.ts'
import { type Malformation, PolicyProblem, type PolicyProblemKind } from './policy-problem.ts'

interface Words {
  readonly kinds: Partial<Record<PolicyProblemKind, string>>
  readonly parts: Partial<Record<Malformation, string>>
}

const IAM: Words = {
  kinds: { 'not-json': 'Syntax errors in policy.' },
  parts: {
    syntax: 'Syntax errors in policy.',
    version: 'Syntax errors in policy.',
    effect: 'Syntax errors in policy.',
    sid: 'Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*',
    'sid-twice': 'Statement IDs (SID) in a single policy must be unique.',
    'principal-forbidden': 'Policy document should not specify a principal.',
    'no-action': 'Policy statement must contain actions.',
    'no-resource': 'Policy statement must contain resources.',
    'action-unprefixed':
      'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.',
    'action-colons': 'Actions/Condition can contain only one colon.',
    'resource-vendor': 'Resource vendor must be fully qualified and cannot contain regexes.',
    'condition-operator': 'Syntax errors in policy.',
  },
}

const TRUST: Words = {
  kinds: {
    'not-json': 'This policy contains invalid Json',
    'no-principal': 'Missing required field Principal',
    'invalid-principal': 'Invalid principal in policy',
    'invalid-principal-arn': 'Invalid principal in policy',
  },
  parts: {
    ...IAM.parts,
    'no-action': 'Missing required field Action',
    'resource-forbidden': 'Has prohibited field Resource',
    'action-of-other-service': 'AssumeRole policy may only specify STS AssumeRole actions.',
  },
}

const S3: Words = {
  kinds: {
    'not-json': "Policies must be valid JSON and the first byte must be '{'",
    'no-principal': 'Missing required field Principal',
    'invalid-principal': 'Invalid principal in policy',
    'invalid-principal-arn': 'Invalid principal in policy',
  },
  parts: {
    syntax: 'Invalid policy syntax.',
    version: 'The policy must contain a valid version string',
    effect: 'Invalid effect',
    'no-action': 'Missing required field Action',
    action: 'Policy has invalid action',
    'action-unprefixed': 'Policy has invalid action',
    'action-colons': 'Policy has invalid action',
    'action-of-other-service': 'Policy has invalid action',
    'no-resource': 'Missing required field Resource',
    resource: 'Policy has invalid resource',
    'resource-vendor': 'Policy has invalid resource',
    'resource-of-other-bucket': 'Policy has invalid resource',
    'condition-operator': 'Invalid Condition type',
    'condition-key': 'Policy has an invalid condition key',
  },
}

const KMS: Words = {
  kinds: { 'too-large': 'The policy is larger than policies may be.' },
  parts: {},
}

const words: Readonly<Record<PolicyKind, Words>> = {
  key: KMS,
  identity: IAM,
  session: IAM,
  trust: TRUST,
  bucket: S3,
}

/** The same problem, as the service says it that takes policies of this kind. */
export function inWordsOf(kind: PolicyKind, problem: PolicyProblem): PolicyProblem {
  const { kinds, parts } = words[kind]
  const text = problem.kind === 'malformed' ? parts[problem.part] : kinds[problem.kind]
  return text === undefined
    ? problem
    : new PolicyProblem(problem.kind, text, problem.part, problem.message)
}
