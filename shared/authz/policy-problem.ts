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

/** A policy that cannot be accepted. `text` says why, for whoever wrote the policy. */
export class PolicyProblem extends Error {
  override readonly name = 'PolicyProblem'
  readonly kind: PolicyProblemKind
  readonly text: string

  constructor(kind: PolicyProblemKind, text: string) {
    super(text)
    this.kind = kind
    this.text = text
  }
}

/** The problem of a policy that is JSON, but breaks a rule of the policy language. */
export const malformed = (text: string): PolicyProblem => new PolicyProblem('malformed', text)
