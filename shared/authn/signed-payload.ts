/** What the last line of the canonical request has to be. */
import { hash } from 'node:crypto'
import { equalHex } from './equal-hex.ts'
import { type Refusal, refuse } from './failure.ts'
import { type DeclaredPayload, declaredPayload } from './payload.ts'
import type { Presented } from './presented.ts'
import type { SignedRequest } from './request.ts'
import type { ServiceRules } from './service-rules.ts'

const UNSIGNED: DeclaredPayload = { kind: 'unsigned', text: 'UNSIGNED-PAYLOAD' }

/**
 * @param body - the whole body, for a service that signs it
 * @throws TypeError when the service signs the body and there is none
 */
export function signedPayload(
  request: SignedRequest,
  presented: Presented,
  rules: ServiceRules,
  body: Buffer | null,
): DeclaredPayload | Refusal {
  const declared = request.headers.get('x-amz-content-sha256')?.[0] ?? null
  switch (rules.payload) {
    case 'body':
      return ofBody(body, declared)
    case 'declared':
      return presented.via === 'query' ? presigned(presented, declared) : ofHeader(declared)
    default:
      return rules.payload satisfies never
  }
}

/** The hash of the bytes received; a header that says otherwise, or that nothing was hashed, is refused. */
function ofBody(body: Buffer | null, declared: string | null): DeclaredPayload | Refusal {
  if (body === null)
    throw new TypeError('The body of this service is signed, so it has to be given.')
  const sha256 = hash('sha256', body)
  if (declared !== null && !equalHex(declared, sha256)) return refuse({ kind: 'body-hash' })
  return { kind: 'hash', text: sha256 }
}

const ofHeader = (declared: string | null): DeclaredPayload | Refusal =>
  declared === null ? refuse({ kind: 'missing-payload-hash' }) : declaredPayload(declared)

/** A presigned URL signs no body, unless a hash was signed with it. Chunks are never presigned. */
function presigned(presented: Presented, header: string | null): DeclaredPayload | Refusal {
  const given = header ?? presented.payloadHash
  if (given === null) return UNSIGNED
  const declared = declaredPayload(given)
  const isPlain = 'kind' in declared && (declared.kind === 'hash' || declared.kind === 'unsigned')
  const isOne =
    header === null || presented.payloadHash === null || header === presented.payloadHash
  return isPlain && isOne ? declared : refuse({ kind: 'bad-payload-hash', given })
}
