/** What a session is to be limited to: its policies and tags, and how much of them there may be. */
import { parsePolicy } from '../../shared/authz/policy.ts'
import { PolicyProblem } from '../../shared/authz/policy-problem.ts'
import { QueryError } from '../../shared/errors.ts'
import type { AccountId } from '../../shared/ids.ts'
import type { Call } from '../../shared/pipeline/operation.ts'
import { packedSize, type SessionContent } from '../../shared/tenants/session-tokens.ts'

/** AWS STS API reference, AssumeRole: policies as text, ARNs of managed policies included. */
const MAX_PLAIN_CHARACTERS = 2048
/** So that a token fits into a header of API Gateway, beside a signature. */
const MAX_PACKED_BYTES = 3072

/**
 * @returns the limits; `null` when there are none
 * @throws QueryError MalformedPolicyDocument, PackedPolicyTooLarge
 */
export async function limitsOf(
  policy: string | undefined,
  policyArns: readonly { readonly arn?: string }[] | undefined,
  account: AccountId,
  { sessions }: Call['services'],
): Promise<SessionContent['limits']> {
  const arns = (policyArns ?? []).flatMap(({ arn }) => (arn === undefined ? [] : [arn]))
  if (policy === undefined && arns.length === 0) return null
  const length = [policy ?? '', ...arns].reduce((sum, text) => sum + text.length, 0)
  if (length > MAX_PLAIN_CHARACTERS) throw tooLarge('policy', length / MAX_PLAIN_CHARACTERS)
  if (policy !== undefined) requireGood(policy)
  for (const arn of arns) {
    if ((await sessions.managedPolicies(account, [arn])).length > 0) continue
    throw malformedPolicy(`Policy ${arn} does not exist or is not attachable.`)
  }
  const documents = policy === undefined ? [] : [{ name: 'session', document: policy }]
  return { documents, policyArns: arns }
}

/**
 * @returns the share of the room in a token that is used, in percent; `undefined` when there is nothing
 * @throws QueryError PackedPolicyTooLarge
 */
export function packedPercent(
  content: Pick<SessionContent, 'tags' | 'limits'>,
): number | undefined {
  if (content.limits === null && content.tags.length === 0) return undefined
  const share = packedSize(content) / MAX_PACKED_BYTES
  if (share > 1) throw tooLarge(content.limits === null ? 'tags' : 'policy', share)
  return Math.ceil(share * 100)
}

function requireGood(policy: string): void {
  try {
    parsePolicy(policy, 'session')
  } catch (error) {
    throw error instanceof PolicyProblem ? malformedPolicy(error.text) : error
  }
}

const malformedPolicy = (text: string): QueryError =>
  new QueryError('MalformedPolicyDocument', 400, text)

const tooLarge = (what: 'policy' | 'tags', share: number): QueryError => {
  const percent = `${Math.ceil(share * 100)}%`
  return new QueryError(
    'PackedPolicyTooLarge',
    400,
    what === 'policy'
      ? `Packed policy consumes ${percent} of allotted space, please use smaller policy.`
      : `Packed size of session tags consumes ${percent} of allotted space.`,
  )
}
