/** What a person who started the stack needs to use it. */
import { chmod, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { StackOptions } from './options.ts'
import type { Stack } from './stack.ts'

const OWNER_ONLY = 0o600

/**
 * Writes `<dataDir>/env`, for a shell to source: endpoint, credentials, Region; and the same for the
 * operator, `<dataDir>/operator.env`.
 * @returns the path of the first
 */
export async function writeEnvironmentFiles(
  { endpoint, operator, ...administrator }: Stack,
  options: StackOptions,
): Promise<string> {
  await writeEnvironmentFile('operator.env', { ...operator, endpoint }, options)
  return await writeEnvironmentFile('env', { ...administrator, endpoint }, options)
}

async function writeEnvironmentFile(
  name: string,
  {
    endpoint,
    accessKeyId,
    secretAccessKey,
  }: Pick<Stack, 'endpoint' | 'accessKeyId' | 'secretAccessKey'>,
  { dataDir, regions }: StackOptions,
): Promise<string> {
  const path = join(dataDir, name)
  const variables = {
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_REGION: regions[0] ?? '',
    AWS_DEFAULT_REGION: regions[0] ?? '',
  }
  const lines = Object.entries(variables).map(
    ([name, value]) => `export ${name}=${quoted(value)}\n`,
  )
  await writeFile(path, lines.join(''), { mode: OWNER_ONLY })
  await chmod(path, OWNER_ONLY) // the mode above counts for a new file only
  return path
}

/** @returns the lines that are printed; the secret is not among them */
export function welcome(
  { endpoint, account, accessKeyId }: Stack,
  { dataDir, unsignedAs }: StackOptions,
  environmentFile: string,
): string {
  const near = (path: string): string => {
    const short = relative(process.cwd(), path)
    return short.startsWith('..') ? path : short
  }
  return [
    'Keyhold is ready.',
    '',
    `  endpoint       ${endpoint}`,
    `  account        ${account}`,
    `  access key id  ${accessKeyId}`,
    `  data           ${near(dataDir)} (the secret access key is in ${near(environmentFile)})`,
    ...(unsignedAs === undefined
      ? []
      : [`  unsigned calls act as ${unsignedAs.account}/${unsignedAs.userName}`]),
    '',
    'Try, in another terminal:',
    '',
    `  source ${quoted(near(environmentFile))}`,
    '  aws kms create-key --description "my first key"',
    '  aws cloudtrail lookup-events --max-results 5',
    '',
    'Ctrl+C ends it; the data stays.',
  ].join('\n')
}

/** As a POSIX shell reads it back. */
const quoted = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
