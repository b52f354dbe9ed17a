/**
 * Forms signed by Signature Version 2 (Amazon S3 API Reference, "Browser-based uploads using POST",
 * AWS Signature Version 2): HMAC-SHA-1 of the policy with the secret access key itself. Amazon S3
 * takes them in its oldest Regions alone; here only a stack that follows Ceph does.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { parseAccessKeyId, type Region } from '../ids.ts'
import type { AccessKeys } from '../tenants/access-keys.ts'
import type { Authentication } from './authenticate.ts'
import { callerOf } from './caller.ts'

export interface VersionTwoForm {
  readonly accessKeyId: string
  /** Base64, as it was sent. */
  readonly policy: string
  /** Base64 of 20 bytes. */
  readonly signature: string
}

/**
 * Long-term access keys only.
 * @param region - where the call goes, since the signature names none
 * @throws when the store or the HSM cannot be reached
 */
export async function authenticateVersionTwo(
  { accessKeyId, policy, signature }: VersionTwoForm,
  accessKeys: Pick<AccessKeys, 'find' | 'reveal'>,
  region: Region,
): Promise<Authentication> {
  const id = parseAccessKeyId(accessKeyId)
  const found = id && (await accessKeys.find(id))
  // The work for an access key that there is not is that for one that there is.
  const secret = found === null ? randomBytes(40) : await accessKeys.reveal(found.record)
  const isSigned = equalsBase64(signature, createHmac('sha1', secret).update(policy).digest())
  secret.fill(0)
  if (found === null) return { ok: false, failure: { kind: 'unknown-access-key', accessKeyId } }
  if (!isSigned) return { ok: false, failure: { kind: 'mismatch', accessKeyId } }
  const caller = callerOf(found)
  return { ok: true, caller, region, payload: { kind: 'unsigned' }, presigned: false }
}

function equalsBase64(given: string, ours: Buffer): boolean {
  const bytes = Buffer.from(given, 'base64')
  return bytes.length === ours.length && timingSafeEqual(bytes, ours)
}
