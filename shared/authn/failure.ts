/**
 * Why a request is not authentic, as plain values that no protocol's wording has touched. In the
 * order in which they are looked for, so that the first one found is the one AWS would name.
 */

/** Where the signature stands: in the Authorization header, or in the query of a presigned URL. */
export type Via = 'header' | 'query'

/** One part of the credential scope that is not what it has to be. */
export type ScopeFault =
  | { readonly part: 'region'; readonly given: string; readonly expected: string }
  | { readonly part: 'service'; readonly given: string; readonly expected: string }
  | { readonly part: 'terminator'; readonly given: string }
  | {
      readonly part: 'day'
      readonly given: string
      readonly expected: string
      readonly date: string
    }

/** Times in milliseconds since the epoch. */
interface OutsideWindow {
  readonly via: Via
  readonly signedAt: number
  readonly now: number
  readonly windowMs: number
}

export type AuthenticationFailure =
  | { readonly kind: 'both-header-and-query' }
  /** A header or query parameter that says who is asking came more than once. */
  | { readonly kind: 'duplicate-parameter'; readonly name: string }
  | { readonly kind: 'missing' }
  /** An Authorization header of another scheme: Signature Version 2, Bearer, Basic. */
  | { readonly kind: 'unsupported-mechanism' }
  | { readonly kind: 'incomplete'; readonly via: Via; readonly missing: readonly string[] }
  | { readonly kind: 'bad-date'; readonly via: Via; readonly given: string }
  | { readonly kind: 'bad-expires'; readonly fault: 'not-a-number' | 'negative' | 'too-long' }
  | ({ readonly kind: 'expired' } & OutsideWindow)
  | ({ readonly kind: 'not-yet' } & OutsideWindow)
  | {
      readonly kind: 'presigned-expired'
      readonly signedAt: number
      readonly now: number
      readonly expiresSeconds: number
    }
  /** `host`, or an `x-amz-` header that the signature does not cover. */
  | { readonly kind: 'unsigned-headers'; readonly names: readonly string[] }
  /** Signed for a host that is not one of ours. */
  | { readonly kind: 'wrong-host' }
  | { readonly kind: 'bad-algorithm'; readonly via: Via; readonly given: string }
  | { readonly kind: 'malformed-credential'; readonly via: Via; readonly given: string }
  | { readonly kind: 'wrong-scope'; readonly via: Via; readonly faults: readonly ScopeFault[] }
  /** No `x-amz-content-sha256`, which S3 demands. */
  | { readonly kind: 'missing-payload-hash' }
  | { readonly kind: 'bad-payload-hash'; readonly given: string }
  /** A payload mode that exists and that we do not take: SigV4A chunks. */
  | { readonly kind: 'unsupported-payload' }
  /** The body is not the one that `x-amz-content-sha256` names. */
  | { readonly kind: 'body-hash' }
  | { readonly kind: 'unknown-access-key'; readonly accessKeyId: string }
  | { readonly kind: 'mismatch'; readonly accessKeyId: string }
  | { readonly kind: 'bad-session-token' }
  /** Temporary credentials, or a bearer token, that were good once. */
  | { readonly kind: 'expired-session' }

/** A step's answer when the request goes no further. */
export class Refusal {
  readonly failure: AuthenticationFailure

  constructor(failure: AuthenticationFailure) {
    this.failure = failure
  }
}

/** @returns the failure as a step's answer */
export const refuse = (failure: AuthenticationFailure): Refusal => new Refusal(failure)
