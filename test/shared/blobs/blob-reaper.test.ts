import { expect, test, vi } from 'vitest'
import { BlobReaper, type FormerPlace } from '../../../shared/blobs/blob-reaper.ts'
import { bucketNameOf, parseAccountId } from '../../../shared/ids.ts'
import type { ObjectRecord, PartRecord, UploadRecord } from '../../../shared/store/records.ts'
import type { Store } from '../../../shared/store/repositories.ts'

const place = {
  account: parseAccountId('111122223333'),
  bucket: bucketNameOf('ledger'),
  key: 'k',
  uploadId: 'u',
} as FormerPlace
const parts = [{ blob: 'a' }, { blob: 'b' }] as unknown as readonly PartRecord[]

function givenReaper(index: {
  readonly object?: readonly string[]
  readonly upload?: readonly string[]
  readonly graceMs?: number
  readonly fails?: boolean
}) {
  const removed: string[] = []
  const records = (names: readonly string[] = []) =>
    names.map((blob) => ({ blob }) as unknown as PartRecord)
  const store = {
    objects: {
      async get() {
        if (index.fails) throw new Error('not now')
        return index.object ? ({ parts: records(index.object) } as unknown as ObjectRecord) : null
      },
    },
    uploads: {
      get: async () => (index.upload ? ({ completedEtag: null } as unknown as UploadRecord) : null),
      parts: async () => records(index.upload),
    },
  } as unknown as Store
  const blobs = { delete: async (name: string) => void removed.push(name) }
  return { removed, reaper: new BlobReaper({ blobs, store, graceMs: index.graceMs ?? 0 }) }
}

test.for([
  ['nothing names them: both go', {}, ['a', 'b']],
  ['the object names one: the other goes', { object: ['a'] }, ['b']],
  ['an upload under way names one: the other goes', { upload: ['b'] }, ['a']],
  ['the index does not answer: both stay', { fails: true }, []],
] as const)('%s', async ([, index, expected]) => {
  const { removed, reaper } = givenReaper(index)
  await reaper.retire(place, parts)
  expect(removed).toEqual(expected)
})

test('what the index names again before the grace is over stays', async () => {
  vi.useFakeTimers()
  try {
    const index = { graceMs: 60_000, object: [] as string[] }
    const { removed, reaper } = givenReaper(index)
    await reaper.retire(place, parts)
    index.object.push('b')
    await vi.advanceTimersByTimeAsync(59_000)
    expect(removed).toEqual([])
    await vi.advanceTimersByTimeAsync(2000)
    expect(removed).toEqual(['a'])
  } finally {
    vi.useRealTimers()
  }
})
