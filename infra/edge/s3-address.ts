/** Where in an S3 request the bucket and the key stand. */
export interface S3Address {
  /** As received, percent-encoded; empty when none is named. */
  readonly bucket: string
  /** As received, percent-encoded, with every slash and dot; empty when none is named. */
  readonly key: string
}

/**
 * Path style: `/<bucket>/<key>`; `/b` and `/b/` both name the bucket. Nothing is decoded or
 * normalised, since keys may hold `//`, `..` and `%2F` (Amazon S3 User Guide, "Naming objects").
 * @param _host - the Host header; what virtual-host addressing will read, should it be offered
 */
export function addressOf(path: string, _host: string): S3Address {
  const slash = path.indexOf('/', 1)
  if (slash === -1) return { bucket: path.slice(1), key: '' }
  return { bucket: path.slice(1, slash), key: path.slice(slash + 1) }
}
