import type { Operation } from '../../shared/pipeline/operation.ts'
import {
  namedKey,
  type RekeyRequest,
  type RekeyRole,
  rekeyKeys,
  rekeyParameters,
  rekeyPermission,
  rekeyRequest,
  requireOneScope,
  scopeOf,
  standings,
} from './rekey-scope.ts'
import { walkStored } from './stored-stretches.ts'

/** Counted over all pages so far. */
interface Sums {
  /** Objects that were looked at. */
  readonly Checked: number
  /** Of those that it is about: no key above them could be newer. */
  readonly Current: number
  /** Those that are still to be done. */
  readonly Remaining: number
  readonly RemainingBytes: number
  readonly RemainingUploads: number
  /** Under keys that only their writers have, which is for good. */
  readonly CustomerKeys: number
}

export interface VerifyRekeyResponse extends Sums {
  /** On the last page: whether nothing remains. */
  readonly Complete?: boolean
  /** By which the audit trail has this answer. */
  readonly RequestId: string
  readonly IsTruncated: boolean
  readonly Marker?: string
}

const NOTHING: Sums = {
  Checked: 0,
  Current: 0,
  Remaining: 0,
  RemainingBytes: 0,
  RemainingUploads: 0,
  CustomerKeys: 0,
}

/**
 * How much of a re-keying remains, before it and after it. Of a key, everything that the account has
 * is read, so that nothing is missed that an index does not know yet: what the last page says is in
 * the audit trail, and is the proof that a key is needed no more.
 */
export const verifyRekey: Operation<RekeyRequest, VerifyRekeyResponse, RekeyRole> = {
  service: 'keyhold',
  name: 'VerifyRekey',
  input: rekeyRequest,
  readOnly: true,
  permissions: (input) => rekeyPermission('keyhold:VerifyRekey', input),
  keys: rekeyKeys,
  check: requireOneScope,
  async run(input, keys, call) {
    const scope = await scopeOf(input, keys, call)
    const standingOf = standings(scope, namedKey(keys, 'target'), call)
    const { sums, listed } = await walkStored(
      { operation: 'VerifyRekey', parameters: rekeyParameters(input), page: input },
      scope.kind === 'key' ? { kind: 'account' } : scope,
      NOTHING,
      async ({ objects, uploads }, so) => {
        const sum = { ...so }
        for (const { encryption, size } of objects) {
          const standing = await standingOf(encryption)
          sum.Checked += 1
          if (standing === 'current') sum.Current += 1
          if (standing === 'customer key') sum.CustomerKeys += 1
          if (standing === 'stale') {
            sum.Remaining += 1
            sum.RemainingBytes += size
          }
        }
        for (const { encryption } of uploads) {
          if ((await standingOf(encryption)) === 'stale') sum.RemainingUploads += 1
        }
        return sum
      },
      call,
    )
    const isDone = sums.Remaining === 0 && sums.RemainingUploads === 0
    const complete = listed.IsTruncated ? {} : { Complete: isDone }
    return { ...sums, ...complete, RequestId: call.requestId, ...listed }
  },
  audit: {
    requestParameters: ({ Bucket, KeyId, TargetKeyId }, { key, target }) => ({
      bucketName: Bucket,
      keyId: key?.arn ?? KeyId,
      targetKeyId: target?.arn ?? TargetKeyId,
    }),
    additionalEventData: ({ Complete, ...sums }) => ({
      checked: sums.Checked,
      current: sums.Current,
      remaining: sums.Remaining,
      remainingUploads: sums.RemainingUploads,
      customerKeys: sums.CustomerKeys,
      complete: Complete === true,
    }),
  },
}
