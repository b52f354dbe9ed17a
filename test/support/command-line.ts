/** `keyhold` as a person runs it: the program in a process of its own, in a home that has nothing. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { GivenStack } from './stack-client.ts'

const PROGRAM = fileURLToPath(new URL('../../cli/keyhold.mjs', import.meta.url))

export interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  /** Standard output as JSON. */
  json<Value = Readonly<Record<string, unknown>>>(): Value
}

export interface CommandLine {
  /** Holds `.aws` once a profile is saved. */
  readonly home: string
  /** Runs it with these arguments. */
  run(...args: readonly string[]): Promise<Outcome>
  /** Runs it with this on standard input. */
  runWith(input: string, ...args: readonly string[]): Promise<Outcome>
}

/**
 * @param variables - all of the environment but the paths; credentials go here
 * @returns runs of the program in one new home directory, which is also where they are started
 */
export function commandLine(variables: NodeJS.ProcessEnv = {}): CommandLine {
  const home = mkdtempSync(join(tmpdir(), 'keyhold-home-'))
  const env = {
    PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
    HOME: home,
    ...variables,
  }
  const runWith = async (input: string, ...args: readonly string[]): Promise<Outcome> => {
    const child = spawn(process.execPath, [PROGRAM, ...args], { cwd: home, env, stdio: 'pipe' })
    child.stdin.on('error', () => undefined) // it may end without reading
    child.stdin.end(input)
    const [stdout, stderr, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close') as Promise<[number | null]>,
    ])
    return { code, stdout, stderr, json: () => JSON.parse(stdout) }
  }
  return { home, runWith, run: (...args) => runWith('', ...args) }
}

/** The variables with which calls go to a stack, as its administrator or as somebody else. */
export const variablesOf = (
  { endpoint, region }: Pick<GivenStack, 'endpoint' | 'region'>,
  credentials: { readonly accessKeyId: string; readonly secretAccessKey: string },
): NodeJS.ProcessEnv => ({
  KEYHOLD_ENDPOINT: endpoint,
  AWS_REGION: region,
  AWS_ACCESS_KEY_ID: credentials.accessKeyId,
  AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
})
