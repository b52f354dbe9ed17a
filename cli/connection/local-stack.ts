/** What a stack on this machine keeps in its data directory for whoever started it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Credentials } from './profiles.ts'

export interface LocalStack {
  readonly endpoint: string
  readonly region: string | null
  readonly credentials: Credentials
  readonly path: string
}

const EXPORT = /^export (\w+)=(?:'((?:[^']|'\\'')*)'|(\S*))$/gm

const FILES = { administrator: 'env', operator: 'operator.env' } as const

/** @returns what the file of the first administrator, or of the operator, says; `null` without one */
export function readLocalStack(dataDir: string, who: keyof typeof FILES): LocalStack | null {
  const path = join(dataDir, FILES[who])
  const variables = variablesOf(path)
  const { AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION } = variables
  if (!AWS_ENDPOINT_URL || !AWS_ACCESS_KEY_ID || !AWS_SECRET_ACCESS_KEY) return null
  return {
    endpoint: AWS_ENDPOINT_URL,
    region: AWS_REGION || null,
    credentials: { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY },
    path,
  }
}

function variablesOf(path: string): Readonly<Record<string, string>> {
  let text = ''
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    return {} // it is a convenience; without it others are asked
  }
  const entries = [...text.matchAll(EXPORT)].map(([, name = '', quoted, plain = '']) => [
    name,
    quoted === undefined ? plain : quoted.replaceAll("'\\''", "'"),
  ])
  return Object.fromEntries(entries)
}
