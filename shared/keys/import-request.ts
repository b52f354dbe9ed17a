/**
 * What an import asks for, and which of its members go together (AWS KMS API reference,
 * "ImportKeyMaterial"; sentences of the live service).
 */
import { JsonError } from '../errors.ts'
import type { KeyBundle } from '../store/records.ts'
import { keySpec } from './key-specs.ts'
import { isReplica } from './multi-region.ts'

export type ExpirationModel = 'KEY_MATERIAL_EXPIRES' | 'KEY_MATERIAL_DOES_NOT_EXPIRE'
export type ImportType = 'NEW_KEY_MATERIAL' | 'EXISTING_KEY_MATERIAL'

/** The members of the request that say what is to become of the material. */
export interface ImportMembers {
  readonly ExpirationModel?: ExpirationModel
  readonly ValidTo?: Date
  readonly ImportType?: ImportType
  readonly KeyMaterialId?: string
  readonly KeyMaterialDescription?: string
}

/** The same, with the defaults filled in. */
export interface ImportOrder {
  /**
   * `null`: new material for a key that nothing was ever imported into, otherwise what it has had.
   * Which of the two is told at the write, as another import may come before.
   */
  readonly importType: ImportType | null
  /** Milliseconds since the epoch; `null`: the material does not expire. */
  readonly validTo: number | null
  readonly materialId: string | null
  readonly description: string | null
}

const SECOND = 1000
const MAX_VALIDITY_MS = 365 * 24 * 60 * 60 * SECOND
export const DEFAULT_EXPIRATION_MODEL: ExpirationModel = 'KEY_MATERIAL_EXPIRES'

/**
 * @param now - milliseconds since the epoch
 * @throws JsonError ValidationException for members that do not go together, or not with the key
 */
export function requireImportOrder(
  members: ImportMembers,
  bundle: KeyBundle,
  now: number,
): ImportOrder {
  const validTo = requireValidTo(members, now)
  refuseOnNonSymmetric(members, bundle)
  refuseOnReplica(members, bundle)
  const importType = members.ImportType ?? (isReplica(bundle) ? 'EXISTING_KEY_MATERIAL' : null)
  const { KeyMaterialId = null, KeyMaterialDescription = null } = members
  const isNew = (importType ?? defaultImportType(bundle.key.current)) === 'NEW_KEY_MATERIAL'
  if (isNew && KeyMaterialId !== null) {
    throw invalid('Input parameter keyMaterialId cannot be used with NEW_KEY_MATERIAL importType.')
  }
  return { importType, validTo, materialId: KeyMaterialId, description: KeyMaterialDescription }
}

/** @param current - the key's material; `null`: nothing was ever imported */
export const defaultImportType = (current: unknown): ImportType =>
  current === null ? 'NEW_KEY_MATERIAL' : 'EXISTING_KEY_MATERIAL'

/** @returns whole seconds, in milliseconds since the epoch */
function requireValidTo(
  { ExpirationModel = DEFAULT_EXPIRATION_MODEL, ValidTo }: ImportMembers,
  now: number,
): number | null {
  if (ExpirationModel === 'KEY_MATERIAL_DOES_NOT_EXPIRE') {
    if (ValidTo === undefined) return null
    throw invalid(
      'A validTo date cannot be set if the ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE',
    )
  }
  if (ValidTo === undefined) {
    throw invalid('A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES')
  }
  const validTo = Math.floor(ValidTo.getTime() / SECOND) * SECOND
  if (validTo <= now) throw invalid('ValidTo must be in the future')
  if (validTo - now > MAX_VALIDITY_MS) {
    throw invalid('ValidTo must be less than 365 days in the future')
  }
  return validTo
}

const SYMMETRIC_ONLY = {
  ImportType: 'importType',
  KeyMaterialId: 'keyMaterialId',
  KeyMaterialDescription: 'keyMaterialDescription',
} as const

/**
 * Only symmetric encryption keys have more than one material.
 * @throws JsonError ValidationException when a member is given that tells materials apart
 */
export function refuseOnNonSymmetric(
  members: Pick<ImportMembers, keyof typeof SYMMETRIC_ONLY>,
  { key }: Pick<KeyBundle, 'key'>,
): void {
  if (keySpec(key.keySpec).family === 'symmetric') return
  for (const [member, parameter] of Object.entries(SYMMETRIC_ONLY)) {
    if (members[member as keyof typeof SYMMETRIC_ONLY] === undefined) continue
    throw invalid(`Input parameter ${parameter} cannot be used with ${key.keySpec} imported keys.`)
  }
}

function refuseOnReplica(members: ImportMembers, bundle: KeyBundle): void {
  if (!isReplica(bundle)) return
  if (members.ImportType === 'NEW_KEY_MATERIAL') {
    throw invalid(
      'Input parameter ImportType NEW_KEY_MATERIAL cannot be used on replica Multi-Region keys',
    )
  }
  if (members.KeyMaterialDescription !== undefined) {
    throw invalid('Key material description can only be specified on primary Multi-Region keys')
  }
}

const invalid = (text: string): JsonError => new JsonError('ValidationException', text)
