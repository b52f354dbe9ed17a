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
  const segments = path.split('/')
  for (const segment of segments) {
    if (segment === '..') kept.pop()
    else if (segment !== '.' && segment !== '') kept.push(percentEncode(segment))
  }
  // RFC 3986 §5.2.4: a path that ends in `/`, `/.` or `/..` names what is inside, and keeps its slash.
  const last = segments.at(-1)
  const isInside = kept.length > 0 && (last === '' || last === '.' || last === '..')
  return `/${kept.join('/')}${isInside ? '/' : ''}`
}
