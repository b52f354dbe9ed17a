/** Where in an S3 request the bucket and the key stand. */
export interface S3Address {
  /** As received, percent-encoded or from the host; empty when none is named. */
  readonly bucket: string
  /** As received, percent-encoded, with every slash and dot; empty when none is named. */
  readonly key: string
}

/** Hosts of a stack on one's own machine: names below them name buckets. */
export const LOCAL_S3_HOSTS = ['s3.localhost', 'localhost']

/**
 * Nothing is decoded or normalised, since keys may hold `//`, `..` and `%2F` (Amazon S3 User Guide,
 * "Naming objects"). With a bucket in the host the whole path is the key; otherwise `/<bucket>/<key>`,
 * where `/b` and `/b/` both name the bucket.
 * @param bucket - from `bucketOfHost`
 */
export function addressOf(path: string, bucket: string): S3Address {
  if (bucket !== '') return { bucket: bucket, key: path.slice(1) }
  const slash = path.indexOf('/', 1)
  if (slash === -1) return { bucket: path.slice(1), key: '' }
  return { bucket: path.slice(1, slash), key: path.slice(slash + 1) }
}

/**
 * Virtual-host style: `<bucket>.<host>` (Amazon S3 User Guide, "Virtual hosting of buckets").
 * @param host - the Host header, with or without a port
 * @param s3Hosts - lower case, without ports; of two that fit, the longer one counts
 * @returns the bucket, lower case; empty when the host names none
 */
export function bucketOfHost(host: string, s3Hosts: readonly string[]): string {
  const name = host.toLowerCase().replace(/:[0-9]*$/, '')
  let bucket = name
  for (let i = 0; i < s3Hosts.length; i++) {
    const base = s3Hosts[i] as string
    if (name === base) return ''
    const end = name.length - base.length - 1
    const isBelow = end > 0 && name.slice(end) === `.${base}`
    if (isBelow && end < bucket.length) bucket = name.slice(0, end)
  }
  return bucket === name ? '' : bucket
}
