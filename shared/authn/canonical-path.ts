/** CanonicalURI: the path as the signature sees it ("Create a signed AWS API request"). */
import { percentEncode, percentRecode } from './percent-encoding.ts'
import type { ServiceRules } from './service-rules.ts'

/**
 * @param path - as received, percent-encoded
 * @param form - `normalized`: dot segments and empty segments removed, then encoded once more;
 *   `verbatim` (S3): every segment kept, encoded once
 */
export function canonicalPath(path: string, form: ServiceRules['path']): string {
  if (path === '/' || path === '') return '/'
  return form === 'verbatim' ? verbatim(path) : normalized(path)
}

// An escaped slash is a slash: S3 signs the key that the path stands for, and that is one key.
const verbatim = (path: string): string =>
  path.split('/').map(percentRecode).join('/').replaceAll('%2F', '/')

function normalized(path: string): string {
  const kept: string[] = []
  for (const segment of path.split('/')) {
    if (segment === '..') kept.pop()
    else if (segment !== '.' && segment !== '') kept.push(percentEncode(segment))
  }
  // `/a/.` loses its slash, against RFC 3986 §5.2.4, because the signers of the SDKs have it so.
  const last = kept.length > 0 && path.endsWith('/') ? '/' : ''
  return `/${kept.join('/')}${last}`
}
