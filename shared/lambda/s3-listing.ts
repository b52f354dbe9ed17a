/** What the listings of S3 have in common: how much, how names are written, and common prefixes. */
import { percentEncode } from '../authn/percent-encoding.ts'
import { invalidArgument } from '../blobs/s3-error.ts'
import type { S3Request } from './s3-request.ts'

/**
 * @param name - of the parameter, or of what stands in its place; @param max - what is given when nothing is asked for, and at most
 * @throws S3Error InvalidArgument unless it is a whole number from 0
 */
export function parseCount(
  { parameter }: Pick<S3Request, 'parameter'>,
  name: string,
  max: number,
): number {
  const text = parameter(name)
  if (text === undefined || text === '') return max
  if (/^[0-9]{1,10}$/.test(text) && Number(text) <= 2 ** 31 - 1) return Math.min(Number(text), max)
  throw invalidArgument(`Provided ${name} not an integer or within integer range`, name, text)
}

/** How a listing writes names: as they are, or percent-encoded for clients whose XML cannot hold them. */
export interface NameWriter {
  readonly encoding: 'url' | undefined
  write(name: string): string
}

/** @throws S3Error InvalidArgument for an encoding other than `url` */
export function nameWriter({ parameter }: S3Request): NameWriter {
  const encoding = parameter('encoding-type') || undefined
  if (encoding === undefined) return { encoding, write: (name) => name }
  if (encoding === 'url') {
    return { encoding, write: (name) => name.split('/').map(percentEncode).join('/') }
  }
  throw invalidArgument('Invalid Encoding Method specified in Request', 'encoding-type', encoding)
}

/** @returns the name up to and with the first delimiter after the prefix; `null` when there is none */
export function commonPrefix(name: string, prefix: string, delimiter: string): string | null {
  const end = delimiter === '' ? -1 : name.indexOf(delimiter, prefix.length)
  return end === -1 ? null : name.slice(0, end + delimiter.length)
}
