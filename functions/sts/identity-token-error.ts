/** What STS says of a token of an identity provider that it does not take. */
import type { TokenFault } from '../../shared/authn/identity-tokens.ts'
import { QueryError } from '../../shared/errors.ts'

/** The sentences of AWS STS, as far as they are known. */
export function identityTokenError(fault: TokenFault): QueryError {
  switch (fault.kind) {
    case 'not-a-token':
      return invalid(
        'The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)',
      )
    case 'unknown-issuer':
      return invalid(
        `No OpenIDConnect provider found in your account for ${fault.issuer ?? 'this token'}`,
      )
    case 'issuer-unreachable':
      return new QueryError(
        'IDPCommunicationError',
        400,
        "Couldn't retrieve verification key from your identity provider, please try again.",
        { cause: fault.cause },
      )
    case 'unknown-key':
      return invalid(
        "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements",
      )
    case 'bad-signature':
      return invalid('The signature of the token is not valid.')
    case 'missing-claim':
      return invalid(`Missing a required claim: ${fault.claim}`)
    case 'wrong-audience':
      return invalid('Incorrect token audience')
    case 'expired':
      return new QueryError(
        'ExpiredTokenException',
        400,
        `Token expired: current date/time ${fault.now} must be before the expiration date/time ${fault.expiredAt}`,
      )
    case 'rejected':
      return new QueryError(
        'IDPRejectedClaim',
        403,
        `The claim ${fault.claim} of the token is not acceptable.`,
      )
    default:
      return fault satisfies never
  }
}

const invalid = (text: string): QueryError => new QueryError('InvalidIdentityToken', 400, text)
