/** What can be wrong with a policy's text. */
export type PolicyProblemKind =
  | 'not-json'
  | 'too-large'
  | 'no-principal'
  /** A principal that has not the form of an ARN. */
  | 'invalid-principal-arn'
  /** A principal that does not exist, or that this kind of policy cannot name. */
  | 'invalid-principal'
  | 'malformed'

/** What of a policy is malformed, as far as services have words of their own for it. */
export type Malformation =
  | 'syntax'
  | 'version'
  | 'effect'
  | 'sid'
  | 'sid-twice'
  | 'principal-forbidden'
  | 'no-action'
  | 'action'
  | 'action-unprefixed'
  | 'action-colons'
  | 'action-of-other-service'
  | 'no-resource'
  | 'resource'
  | 'resource-vendor'
  | 'resource-forbidden'
  | 'resource-of-other-bucket'
  | 'condition-operator'
  | 'condition-key'
  | 'condition-value'

/**
 * A policy that cannot be accepted. `text` says why as the service does that takes such policies,
 * `message` more precisely where that says little.
 */
export class PolicyProblem extends Error {
  override readonly name = 'PolicyProblem'
  readonly kind: PolicyProblemKind
  readonly text: string
  /** Of what is malformed: the part. */
  readonly part: Malformation

  constructor(
    kind: PolicyProblemKind,
    text: string,
    part: Malformation = 'syntax',
    message: string = text,
  ) {
    super(message)
    this.kind = kind
    this.text = text
    this.part = part
  }
}

/** The problem of a policy that is JSON, but breaks a rule of the policy language. */
export const malformed = (text: string, part: Malformation = 'syntax'): PolicyProblem =>
  new PolicyProblem('malformed', text, part)
