/**
 * Which version of a key's material an import is: the next one, or one that the key has had before
 * (AWS KMS Developer Guide, "Importing key material"). Material that a key once used belongs to it
 * for good, also when it was deleted or has expired; nothing else can take its place.
 */
import { JsonError } from '../errors.ts'
import type { KeyArn, MaterialId } from '../ids.ts'
import type { KeySpec, MaterialRecord } from '../store/records.ts'
import { defaultImportType, type ImportOrder } from './import-request.ts'
import { keySpec } from './key-specs.ts'

/** A material that belongs to a key, whether its bytes are here or not. */
export interface KnownMaterial
  extends Pick<MaterialRecord, 'number' | 'materialId' | 'createdAt' | 'rotation' | 'imported'> {
  /** Whether its bytes are here and have not expired. */
  readonly isPresent: boolean
}

/** A key as far as an import looks at it. */
export interface ImportingKey {
  readonly arn: KeyArn
  readonly keySpec: KeySpec
  /** Oldest first; of a replica, those of its primary too. */
  readonly known: readonly KnownMaterial[]
  /** `null`: nothing was ever imported. */
  readonly current: KnownMaterial | null
}

/**
 * @param materialId - of the imported bytes
 * @returns the material that the bytes are; `null`: they are the key's next one
 * @throws JsonError IncorrectKeyMaterialException when the bytes are not what is asked for,
 *   KMSInvalidStateException when other material is already waiting for its rotation
 */
export function importTarget(
  key: ImportingKey,
  order: ImportOrder,
  materialId: MaterialId,
): KnownMaterial | null {
  const same = key.known.find((material) => material.materialId === materialId) ?? null
  if (keySpec(key.keySpec).family !== 'symmetric') {
    return key.current === null ? null : requireExpected(same, [key.current.materialId])
  }
  const importType = order.importType ?? defaultImportType(key.current)
  if (importType === 'EXISTING_KEY_MATERIAL') {
    return requireExpected(same, order.materialId ? [order.materialId] : expectedOf(key))
  }
  if (same !== null) throw alreadyKnown(key.arn, materialId)
  refuseSecondPending(key, materialId)
  return null
}

/** Without an id, the material that is missing is meant; with none missing, the current one. */
function expectedOf({ known, current }: ImportingKey): readonly MaterialId[] {
  const missing = known.filter(({ isPresent }) => !isPresent)
  return [...missing, ...(current === null ? [] : [current])].map(({ materialId }) => materialId)
}

function requireExpected(same: KnownMaterial | null, expected: readonly string[]): KnownMaterial {
  if (same !== null && expected.includes(same.materialId)) return same
  const [first] = expected
  throw new JsonError(
    'IncorrectKeyMaterialException',
    first === undefined
      ? undefined
      : `Imported key material does not have the expected identifier (${first}).`,
  )
}

const alreadyKnown = (arn: KeyArn, materialId: MaterialId): JsonError =>
  new JsonError(
    'IncorrectKeyMaterialException',
    `Key material (id: ${materialId}) being imported as NEW_KEY_MATERIAL is already associated with KMS key ${arn}.`,
  )

function refuseSecondPending({ arn, known, current }: ImportingKey, materialId: MaterialId): void {
  const pending = known.find(({ number }) => number > (current?.number ?? 0))
  if (pending === undefined) return
  throw new JsonError(
    'KMSInvalidStateException',
    `New key material (id: ${materialId}) cannot be imported into KMS key ${arn}, because another key material (id: ${pending.materialId}) is pending rotation.`,
  )
}
