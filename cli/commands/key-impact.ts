import { bytesText, countText } from '../output/amounts.ts'
import { type Answer, type Cell, details, table, type View } from '../output/view.ts'
import { Refusal } from '../problem.ts'
import type { Session } from '../session.ts'

interface ImpactedObject {
  readonly Bucket: string
  readonly Key: string
  readonly Size: number
  readonly LastModifiedDate: Date
  readonly Encryption: string
}

interface Sums {
  readonly ObjectCount: number
  readonly ObjectBytes: number
  readonly UploadCount: number
}

/** What DescribeKeyImpact answers; what is known of the key comes with the first page only. */
interface ImpactPage extends Sums {
  readonly KeyId: string
  readonly KeyState: string
  readonly DeletionDate?: Date
  readonly LastUsedDate?: Date
  readonly LastUsedOperation?: string
  readonly GrantCount?: number
  readonly Outside?: readonly string[]
  readonly Objects: readonly ImpactedObject[]
  readonly Uploads: readonly { readonly Bucket: string; readonly Key: string }[]
  readonly IsTruncated: boolean
  readonly Marker?: string
}

interface ImpactedBucket {
  readonly Bucket: string
  readonly ObjectCount: number
  readonly ObjectBytes: number
}

export type Impact = Omit<ImpactPage, 'IsTruncated' | 'Marker'> & {
  readonly Buckets: readonly ImpactedBucket[]
}

/** @param most - how many objects are named; all are counted */
export async function impactOf(session: Session, KeyId: string, most: number): Promise<Impact> {
  const buckets = new Map<string, ImpactedBucket>()
  const Objects: ImpactedObject[] = []
  const Uploads: ImpactPage['Uploads'][number][] = []
  const ask = (Marker?: string): Promise<ImpactPage> =>
    session.keyhold<ImpactPage>('DescribeKeyImpact', { KeyId, Marker })
  const first = await ask()
  for (let page = first; ; page = await ask(page.Marker)) {
    for (const object of page.Objects) {
      if (Objects.length < most) Objects.push(object)
      const { Bucket, Size } = object
      const { ObjectCount = 0, ObjectBytes = 0 } = buckets.get(Bucket) ?? {}
      const sum = { Bucket, ObjectCount: ObjectCount + 1, ObjectBytes: ObjectBytes + Size }
      buckets.set(Bucket, sum)
    }
    Uploads.push(...page.Uploads)
    session.progress.tell(`${countText(page.ObjectCount, 'object')} so far`)
    if (page.IsTruncated) continue
    const { ObjectCount, ObjectBytes, UploadCount } = page
    const { IsTruncated: _, Marker: __, ...about } = first
    const Buckets = [...buckets.values()]
    return { ...about, ObjectCount, ObjectBytes, UploadCount, Buckets, Objects, Uploads }
  }
}

/**
 * What a question before a deletion tells: no more than one call finds out.
 * @returns `null` when whoever asks may not know
 */
export async function impactInShort(
  session: Session,
  KeyId: string,
): Promise<(Sums & Pick<ImpactPage, 'GrantCount' | 'IsTruncated'>) | null> {
  try {
    const page = await session.keyhold<ImpactPage>('DescribeKeyImpact', { KeyId })
    const { ObjectCount, ObjectBytes, UploadCount, GrantCount, IsTruncated } = page
    const grants = GrantCount === undefined ? {} : { GrantCount }
    return { ObjectCount, ObjectBytes, UploadCount, ...grants, IsTruncated }
  } catch (error) {
    if (error instanceof Refusal) return null
    throw error
  }
}

/** @returns `3 objects (69.3 KiB)`, with `more than` before it when there are more */
export const impactText = (impact: Sums & { readonly IsTruncated?: boolean }): string =>
  `${impact.IsTruncated ? 'more than ' : ''}${countText(impact.ObjectCount, 'object')} (${bytesText(impact.ObjectBytes)})`

/** The answer of `keyhold impact`. */
export function impactAnswer(impact: Impact): Answer {
  const summary = details({
    Key: impact.KeyId,
    State: impact.KeyState,
    'To be deleted': impact.DeletionDate,
    'Becomes unreadable': impactText(impact),
    'Uploads under way': impact.UploadCount,
    Grants: impact.GrantCount,
    'Last used': lastUseText(impact),
    'Named of other accounts': impact.Outside?.join(', '),
  })
  const none = 'No object is under the key.'
  const views: View[] = [summary, table(impact.Buckets, BUCKET_COLUMNS, none)]
  if (impact.ObjectCount > 0) views.push(table(impact.Objects, OBJECT_COLUMNS, none))
  const more = impact.ObjectCount - impact.Objects.length
  if (more > 0) views.push(`And ${countText(more, 'object')} more: --all lists them.`)
  return { json: impact, view: views }
}

function lastUseText({ LastUsedDate, LastUsedOperation }: Impact): Cell {
  if (LastUsedDate === undefined) return 'never, as far as is known'
  return `${LastUsedDate.toISOString().slice(0, 19)}Z (${LastUsedOperation})`
}

const BUCKET_COLUMNS = {
  Bucket: (bucket: ImpactedBucket) => bucket.Bucket,
  Objects: (bucket: ImpactedBucket) => bucket.ObjectCount,
  Size: (bucket: ImpactedBucket) => bytesText(bucket.ObjectBytes),
}

const OBJECT_COLUMNS = {
  Object: (object: ImpactedObject) => `${object.Bucket}/${object.Key}`,
  Size: (object: ImpactedObject) => bytesText(object.Size),
  Modified: (object: ImpactedObject) => object.LastModifiedDate,
  Encryption: (object: ImpactedObject) => object.Encryption,
}
