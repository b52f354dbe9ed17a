/** Where bytes come from and go to: a file, or an object as `s3://bucket/key`. */
import { basename } from 'node:path'
import { WrongUsage } from '../problem.ts'

export interface ObjectName {
  readonly bucket: string
  /** May be empty, or end with a slash: then it is the beginning of names. */
  readonly key: string
}

const S3_URL = /^s3:\/\/([^/]+)(?:\/(.*))?$/s

/** @returns `null` for the path of a file */
export function parseObjectName(text: string): ObjectName | null {
  const [, bucket, key = ''] = S3_URL.exec(text) ?? []
  if (bucket !== undefined) return { bucket, key }
  if (text.startsWith('s3:')) throw new WrongUsage('Objects are named s3://bucket/key.')
  return null
}

export const objectUrl = ({ bucket, key }: ObjectName): string => `s3://${bucket}/${key}`

/** What ends where a name would begin gets the name of what is copied. */
export const withNameOf = (target: string, source: string): string =>
  target === '' || target.endsWith('/') ? `${target}${basename(source)}` : target

/**
 * @param name - of an object, below the beginning that is synchronized
 * @returns whether it is the path of a file below a directory, on every system, and no way out of it
 */
export const isPathBelow = (name: string): boolean =>
  name !== '' &&
  !/[\\:\0]/.test(name) &&
  name.split('/').every((step) => step !== '' && step !== '.' && step !== '..')
