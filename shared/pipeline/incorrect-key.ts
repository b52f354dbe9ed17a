import { JsonError } from '../errors.ts'

/** The error for a named key that is not the one in the ciphertext (AWS KMS API reference, "Decrypt"). */
export const incorrectKey = (): JsonError =>
  new JsonError(
    'IncorrectKeyException',
    'The key ID in the request does not identify a CMK that can perform this operation.',
  )
