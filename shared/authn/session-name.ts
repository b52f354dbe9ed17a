/** Names of sessions that nobody chose. */
import { createHash } from 'node:crypto'

/** STS API reference, "RoleSessionName". */
const FORM = /^[\w+=,.@-]{2,64}$/
const HASHED = 'sub-'
const DIGITS = 40

/**
 * @param subject - whom an identity provider or AWS vouches for
 * @returns the subject where it has the form of a session's name, otherwise a hash of it; no two
 *   subjects have the same
 */
export const sessionNameOf = (subject: string): string =>
  FORM.test(subject) && !subject.startsWith(HASHED)
    ? subject
    : HASHED + createHash('sha256').update(subject).digest('hex').slice(0, DIGITS)
