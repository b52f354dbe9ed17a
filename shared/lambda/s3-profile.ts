/**
 * Settings of the S3 side that a process reads once. The profile `ceph` answers as the public
 * compatibility suite of Ceph expects it in the places where that differs from Amazon S3.
 */
export type S3Profile = 'aws' | 'ceph'

let chosen: S3Profile | undefined

/** @throws RangeError for a profile that there is not */
export function parseS3Profile(text: string | undefined): S3Profile {
  if (text === undefined || text === '' || text === 'aws') return 'aws'
  if (text === 'ceph') return 'ceph'
  throw new RangeError('KEYHOLD_S3_PROFILE is aws or ceph.')
}

/** `KEYHOLD_S3_PROFILE`. */
export const isCephProfile = (): boolean => {
  chosen ??= parseS3Profile(process.env.KEYHOLD_S3_PROFILE)
  return chosen === 'ceph'
}

/** `KEYHOLD_ALLOW_INSECURE_SSE_C`: whether keys of callers are taken over plain HTTP. */
export const allowsInsecureCustomerKeys = (): boolean =>
  process.env.KEYHOLD_ALLOW_INSECURE_SSE_C === 'true'
