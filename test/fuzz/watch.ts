/** What is watched of the stack beside its answers: whether it lives, what it writes, how it grows. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { SpawnedStack } from '../support/global-stack.ts'
import { SECRET_MARKER } from '../support/kms-world.ts'
import type { Findings } from './findings.ts'

const run = promisify(execFile)

/** Secrets in every form in which a careless line would show them. */
const forbidden = (secretAccessKey: string): readonly string[] => {
  const bytes = Buffer.from(SECRET_MARKER)
  return [
    SECRET_MARKER,
    bytes.toString('base64'),
    bytes.toString('hex'),
    [...bytes].join(','),
    secretAccessKey,
  ]
}

/** Reads along with what the stack writes, from now on. */
export function watchOutput(
  { stdout, stderr }: Pick<SpawnedStack, 'stdout' | 'stderr'>,
  secretAccessKey: string,
  findings: Findings,
): void {
  const secrets = forbidden(secretAccessKey)
  for (const stream of [stdout, stderr]) {
    let rest = ''
    stream.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString('latin1')).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) judgeLine(line, secrets, findings)
    })
  }
}

function judgeLine(line: string, secrets: readonly string[], findings: Findings): void {
  if (secrets.some((secret) => line.includes(secret))) {
    findings.add('wrote a secret to its log') // and it is not repeated here
  } else if (/Warning:|"level":(50|60)|^\s+at /.test(line)) {
    findings.add(`wrote: ${line.slice(0, 1500)}`)
  }
}

export function watchExit(stack: SpawnedStack, findings: Findings): () => void {
  const onExit = (code: number | null, signal: string | null): void => {
    findings.add(`ended with ${code ?? signal}`)
  }
  stack.once('exit', onExit)
  return () => stack.off('exit', onExit)
}

/** @returns the resident memory of a process in MiB */
export async function residentMiB(pid: number): Promise<number> {
  const { stdout } = await run('ps', ['-o', 'rss=', '-p', String(pid)])
  return Number(stdout.trim()) / 1024
}
