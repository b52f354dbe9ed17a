import { QueryError } from '../../shared/errors.ts'
import type { UnsignedQuery } from '../../shared/lambda/query-stack.ts'
import { findRole } from '../../shared/pipeline/role-trust.ts'
import { decode, required, string, structure } from '../../shared/pipeline/shape.ts'
import { beginFederated } from './federated-session.ts'
import { identityTokenError } from './identity-token-error.ts'
import { arn, policy, policyArns, roleDuration, roleSessionName } from './sts-members.ts'
import { claimedSession } from './token-claims.ts'

const request = structure({
  RoleArn: required(arn),
  RoleSessionName: required(roleSessionName),
  WebIdentityToken: required(string({ min: 4, max: 20_000, sensitive: true })),
  ProviderId: string({ min: 4, max: 2048 }),
  PolicyArns: policyArns,
  Policy: policy,
  DurationSeconds: roleDuration,
})

const NAME = 'AssumeRoleWithWebIdentity'

/**
 * Temporary credentials of a role, for whom an identity provider vouches and the role trusts. Nobody
 * signs for it: the token says who calls. Who brings none that is good leaves no record, as who signs
 * badly leaves none.
 */
export const assumeRoleWithWebIdentity: UnsignedQuery = {
  name: NAME,
  async answer(form, call) {
    const input = decode(request, form.input)
    if (input.ProviderId !== undefined) throw invalid('ProviderId is for OAuth 2.0 tokens only.')
    const verified = await call.services.identityTokens.verify(input.WebIdentityToken)
    if (!verified.ok) throw identityTokenError(verified.fault)
    const { issuer, subject, audience, claims } = verified.token
    const named = await findRole(input.RoleArn, call.services)
    if (named === null) throw invalid(`${input.RoleArn} is invalid`)
    const { issuer: provider } = issuer
    const session = {
      eventName: NAME,
      named,
      federated: { provider: issuer.provider, subject, audience },
      sessionName: input.RoleSessionName,
      claimed: () => claimedSession(claims),
      policy: input.Policy,
      policyArns: input.PolicyArns,
      durationSeconds: input.DurationSeconds,
      recorded: { subjectFromWebIdentityToken: subject, provider, audience },
    }
    return {
      ...(await beginFederated(session, call)),
      SubjectFromWebIdentityToken: subject,
      Provider: provider,
      Audience: audience,
    }
  },
}

const invalid = (text: string): QueryError => new QueryError('ValidationError', 400, text)
