/** Who owns what an account has, as S3 shows it. */
import { createHash } from 'node:crypto'
import type { AccountId } from '../ids.ts'

/** @returns the account's canonical user id: 64 hex digits, always the same */
export const canonicalUserId = (account: AccountId): string =>
  createHash('sha256').update(`keyhold canonical user ${account}`).digest('hex')
