/** Keys whose material comes from outside, and those that other operations leave alone. */
import { JsonError } from '../errors.ts'
import type { FoundKey } from './keys.ts'

/** @throws JsonError UnsupportedOperationException for a key whose material was generated here */
export function requireExternalOrigin({ key, arn }: FoundKey): void {
  if (key.origin === 'EXTERNAL') return
  throw new JsonError(
    'UnsupportedOperationException',
    `${arn} origin is ${key.origin} which is not valid for this operation.`,
  )
}
