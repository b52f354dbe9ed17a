import type { ObjectKeyServices } from '../../shared/blobs/object-encryption.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'
import { objectKeyServices } from '../s3/object-kms.ts'
import { type Failure, type Outcome, rekeyObject, rekeyUpload } from './rekey-one.ts'
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
  readonly Rewrapped: number
  /** Of the plaintext, none of which was touched. */
  readonly RewrappedBytes: number
  readonly RewrappedUploads: number
  /** That needed nothing. */
  readonly Current: number
  readonly CustomerKeys: number
  /** That others kept changing, or removed; what is there now may need another run. */
  readonly Changed: number
  readonly Failed: number
}

export interface RekeyObjectsResponse extends Sums {
  /** Of this page. */
  readonly Failures: readonly Failure[]
  readonly IsTruncated: boolean
  readonly Marker?: string
}

const NOTHING: Sums = {
  Rewrapped: 0,
  RewrappedBytes: 0,
  RewrappedUploads: 0,
  Current: 0,
  CustomerKeys: 0,
  Changed: 0,
  Failed: 0,
}

/** How many objects are done at once. */
const AT_ONCE = 8

/**
 * Gives the objects of a bucket, or under a key, the newest keys above their own, or another KMS key,
 * without touching their data. Every object is one conditional write of the index that is done or not
 * done; what is done needs nothing when it is looked at again. So a run that was cut short, or whose
 * marker is lost, begins anew and does what is left.
 */
export const rekeyObjects: Operation<RekeyRequest, RekeyObjectsResponse, RekeyRole> = {
  service: 'keyhold',
  name: 'RekeyObjects',
  input: rekeyRequest,
  readOnly: false,
  permissions: (input) => rekeyPermission('keyhold:RekeyObjects', input),
  keys: rekeyKeys,
  check: requireOneScope,
  async run(input, keys, call) {
    const scope = await scopeOf(input, keys, call)
    const target = namedKey(keys, 'target')
    const work = {
      standingOf: standings(scope, target, call),
      keyArn: target?.arn ?? null,
      services: withFreshBucketKeys(objectKeyServices(call)),
      call,
    }
    const Failures: Failure[] = []
    const { sums, listed } = await walkStored(
      { operation: 'RekeyObjects', parameters: rekeyParameters(input), page: input },
      scope,
      NOTHING,
      async ({ objects, uploads }, so) => {
        const outcomes = [
          ...(await inTurns(objects, (object) => rekeyObject(object, work))),
          ...(await inTurns(uploads, (upload) => rekeyUpload(upload, work))),
        ]
        Failures.push(...outcomes.flatMap(({ failure }) => failure ?? []))
        return outcomes.reduce(added, so)
      },
      call,
    )
    return { ...sums, Failures, ...listed }
  },
  audit: {
    requestParameters: ({ Bucket, KeyId, TargetKeyId }, { key, target }) => ({
      bucketName: Bucket,
      keyId: key?.arn ?? KeyId,
      targetKeyId: target?.arn ?? TargetKeyId,
    }),
    additionalEventData: (sums) => ({
      rewrapped: sums.Rewrapped,
      rewrappedUploads: sums.RewrappedUploads,
      current: sums.Current,
      customerKeys: sums.CustomerKeys,
      changed: sums.Changed,
      failed: sums.Failed,
      complete: !sums.IsTruncated,
    }),
  },
}

/** The bucket keys that writes share may be older than the key's newest material; these are not. */
function withFreshBucketKeys({ tenantKeys, kms }: ObjectKeyServices): ObjectKeyServices {
  const fresh = new Map<string, ReturnType<typeof kms.generateDataKey>>()
  return {
    tenantKeys,
    kms: {
      decrypt: (...asked) => kms.decrypt(...asked),
      generateDataKey(keyId, context, sharedIn) {
        if (sharedIn === null) return kms.generateDataKey(keyId, context, null)
        const name = JSON.stringify([keyId, sharedIn, Object.entries(context).sort()])
        const asked = fresh.get(name) ?? kms.generateDataKey(keyId, context, null)
        fresh.set(name, asked)
        return asked
      },
    },
  }
}

async function inTurns<Thing>(
  things: readonly Thing[],
  act: (thing: Thing) => Promise<Outcome>,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  for (let at = 0; at < things.length; at += AT_ONCE) {
    outcomes.push(...(await Promise.all(things.slice(at, at + AT_ONCE).map(act))))
  }
  return outcomes
}

const one = (is: boolean): number => (is ? 1 : 0)

const added = (sums: Sums, { became, bytes }: Outcome): Sums => ({
  Rewrapped: sums.Rewrapped + one(became === 'rewrapped'),
  RewrappedBytes: sums.RewrappedBytes + (became === 'rewrapped' ? bytes : 0),
  RewrappedUploads: sums.RewrappedUploads + one(became === 'rewrapped upload'),
  Current: sums.Current + one(became === 'current'),
  CustomerKeys: sums.CustomerKeys + one(became === 'customer key'),
  Changed: sums.Changed + one(became === 'changed'),
  Failed: sums.Failed + one(became === 'failed'),
})
