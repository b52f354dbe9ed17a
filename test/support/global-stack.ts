/**
 * One stack for all tests of the project `stack`: a process of its own, as a user starts it, on a
 * free port and with a data directory that goes with it.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { TestProject } from 'vitest/node'

export interface ProvidedStack {
  readonly endpoint: string
  readonly account: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly dataDir: string
}

declare module 'vitest' {
  interface ProvidedContext {
    readonly stack: ProvidedStack
  }
}

/** Standard output and error can be read. */
export type SpawnedStack = ChildProcessByStdio<null, Readable, Readable>

export interface StackProcess {
  readonly endpoint: string
  readonly process: SpawnedStack
  /** All that it has written so far. */
  said(): string
  /** Ends it as Ctrl+C does. @returns its exit code */
  end(): Promise<number | null>
}

const PROJECT = fileURLToPath(new URL('../../', import.meta.url))
const STARTED_WITHIN_MS = 20_000

const GIVEN = {
  account: '111122223333',
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
}

/** Vitest calls it before the first test. @returns what it calls after the last */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dataDir = await mkdtemp(join(tmpdir(), 'keyhold-stack-'))
  const stack = await startStackProcess(dataDir)
  project.provide('stack', { ...GIVEN, endpoint: stack.endpoint, dataDir })
  return async () => {
    await stack.end()
    await rm(dataDir, { recursive: true, force: true })
  }
}

/**
 * Starts a stack as `npm start` does, on a free port, and waits until it says that it is ready.
 * @param variables - added to the environment; the given credentials are there already
 * @throws Error with what it wrote when it ends before that
 */
export async function startStackProcess(
  dataDir: string,
  variables: NodeJS.ProcessEnv = {},
): Promise<StackProcess> {
  const started = spawnStack(['--port', '0', '--data-dir', dataDir], variables)
  let said = ''
  started.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  const endpoint = await endpointOf(started)
  return {
    endpoint,
    process: started,
    said: () => said,
    async end() {
      if (started.exitCode === null && started.signalCode === null) {
        const exit = once(started, 'exit')
        started.kill('SIGINT')
        await exit
      }
      return started.exitCode
    },
  }
}

/** Starts `npm start`'s program with these flags; nothing is waited for. */
export function spawnStack(
  flags: readonly string[],
  variables: NodeJS.ProcessEnv = {},
): SpawnedStack {
  return spawn(process.execPath, ['infra/local/main.ts', ...flags], {
    cwd: PROJECT,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      KEYHOLD_ACCOUNT_ID: GIVEN.account,
      KEYHOLD_ACCESS_KEY_ID: GIVEN.accessKeyId,
      KEYHOLD_SECRET_ACCESS_KEY: GIVEN.secretAccessKey,
      KEYHOLD_ALLOW_INSECURE_SSE_C: 'true', // the tests speak plain HTTP
      ...variables,
    },
  })
}

function endpointOf(started: SpawnedStack): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = ''
    const late = setTimeout(
      () => reject(new Error(`Not ready in time: ${said}`)),
      STARTED_WITHIN_MS,
    )
    const listen = (chunk: Buffer): void => {
      said += chunk.toString()
      const endpoint = /endpoint +(\S+)\n/.exec(said)?.[1]
      if (endpoint === undefined) return
      clearTimeout(late)
      resolve(endpoint)
    }
    started.stdout.on('data', listen)
    started.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      process.stderr.write(chunk)
    })
    started.once('exit', () => {
      clearTimeout(late)
      reject(new Error(`The stack ended: ${said}`))
    })
  })
}
