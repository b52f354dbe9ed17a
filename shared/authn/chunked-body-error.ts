/** Why a body is not the one that was signed or announced. */
const MESSAGES = {
  malformed: 'The framing of the body is not aws-chunked.',
  signature: 'The signature of a chunk or of the trailer is not right.',
  incomplete: 'The body is shorter or longer than announced.',
  'sha256-mismatch': 'The SHA-256 of the body is not the one that was signed.',
} as const

export class ChunkedBodyError extends Error {
  override readonly name = 'ChunkedBodyError'
  readonly kind: keyof typeof MESSAGES

  constructor(kind: keyof typeof MESSAGES) {
    super(MESSAGES[kind])
    this.kind = kind
  }
}
