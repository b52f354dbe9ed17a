/**
 * `npm run fuzz`: starts a stack of its own, fires garbage at every operation, and fails on whatever
 * must never happen: an answer of the kind 5xx, none within ten seconds, a connection that is let
 * fall, an end of the process, a secret in the log, memory without bound.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { orSayUsage } from '../../infra/usage.ts'
import { startStackProcess } from '../support/global-stack.ts'
import { type Caller, makeWorld } from '../support/kms-world.ts'
import { bulletOf } from './bullets.ts'
import { type Answer, Connection, NoAnswer } from './connection.ts'
import { Findings } from './findings.ts'
import { fireBytes } from './fire-bytes.ts'
import { readFuzzOptions } from './options.ts'
import { type Shot, shots } from './shots.ts'
import { type Sign, signer } from './signer.ts'
import { Tally } from './tally.ts'
import { residentMiB, watchExit, watchOutput } from './watch.ts'

const PATIENCE_MS = 10_000
/** After so many requests keys are disabled, deleted and locked, so there are new ones. */
const REQUESTS_PER_WORLD = 10_000
const BATCH = 500
/** Requests on their way at once on a connection. */
const PIPELINED = 4
/** MiB that the stack may take, whatever it is sent. */
const MAX_RESIDENT = 1024
const CREDENTIALS = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
}

const { requests, seed, connections } = orSayUsage(() => readFuzzOptions(process.argv.slice(2)))
console.log(`fuzz: ${requests} requests, --seed ${seed}`)
const findings = new Findings()
const tally = new Tally()
const dataDir = await mkdtemp(join(tmpdir(), 'keyhold-fuzz-'))
const stack = await startStackProcess(dataDir, { KEYHOLD_LOG_LEVEL: 'trace' })
const stopWatching = watchExit(stack.process, findings)
watchOutput(stack.process, CREDENTIALS.secretAccessKey, findings)
try {
  await fuzz()
} finally {
  stopWatching()
  await stack.end()
  await rm(dataDir, { recursive: true, force: true })
}
report()
process.exit(findings.count === 0 ? 0 : 1)

async function fuzz(): Promise<void> {
  const { host, hostname, port } = new URL(stack.endpoint)
  const sign = signer(host, CREDENTIALS)
  const open = Array.from(
    { length: connections },
    () => new Connection(hostname, Number(port), PATIENCE_MS),
  )
  const started = Date.now()
  let peak = 0
  for (let done = 0; done < requests && stack.process.exitCode === null; ) {
    const world = await makeWorld(callerOn(open[0] as Connection, sign), { slow: done === 0 })
    const arbitrary = shots(world)
    const end = Math.min(requests, done + REQUESTS_PER_WORLD)
    for (; done < end && stack.process.exitCode === null; done += BATCH) {
      const batch = fc.sample(arbitrary, {
        seed: seed + done,
        numRuns: Math.min(BATCH, end - done),
      })
      await fireAll(batch, open, sign, { hostname, port: Number(port) })
      peak = Math.max(peak, await residentMiB(stack.process.pid ?? 0))
    }
    const seconds = Math.round((Date.now() - started) / 1000)
    console.log(
      `${Math.min(done, requests)} in ${seconds} s, ${Math.round(peak)} MiB, ${findings.count} findings`,
    )
  }
  for (const connection of open) connection.close()
  if (peak > MAX_RESIDENT) findings.add(`grew to ${Math.round(peak)} MiB`)
}

interface Address {
  readonly hostname: string
  readonly port: number
}

async function fireAll(
  batch: readonly Shot[],
  open: readonly Connection[],
  sign: Sign,
  address: Address,
): Promise<void> {
  const waiting = batch.values()
  const work = async (connection: Connection): Promise<void> => {
    for (const shot of waiting) await fire(shot, connection, sign, address)
  }
  await Promise.all(
    open.flatMap((connection) => Array.from({ length: PIPELINED }, () => work(connection))),
  )
}

async function fire(
  shot: Shot,
  connection: Connection,
  sign: Sign,
  address: Address,
): Promise<void> {
  try {
    judge(shot, await answerTo(shot, connection, sign, address))
  } catch (error) {
    findings.add(error instanceof NoAnswer ? error.how : String(error), shot)
  }
}

/** What may not be HTTP gets a connection of its own: it would spoil the answers to what is before it. */
function answerTo(
  shot: Shot,
  connection: Connection,
  sign: Sign,
  address: Address,
): Promise<Answer | null> {
  if (shot.kind === 'call') return connection.send(bulletOf(shot, sign))
  const bytes = shot.kind === 'bytes' ? shot.body : bulletOf(shot, sign)
  return fireBytes(bytes, address, PATIENCE_MS)
}

/** @param answer - null: none was due */
function judge(shot: Shot, answer: Answer | null): void {
  if (answer === null) return
  const type =
    answer.status === 200 ? '200' : (/"__type":"(\w+)"/.exec(answer.body)?.[1] ?? answer.status)
  tally.add(shot.operation, type)
  if (answer.status >= 500) findings.add(`${answer.status} ${answer.body.slice(0, 200)}`, shot)
}

function callerOn(connection: Connection, sign: Sign): Caller {
  return async (operation, input, region = 'us-east-1') => {
    const body = Buffer.from(JSON.stringify(input))
    const shot: Shot = { kind: 'call', operation, region, body }
    const answer = await connection.send(bulletOf(shot, sign))
    judge(shot, answer)
    if (answer.status !== 200) return null
    return answer.body === '' ? {} : JSON.parse(answer.body)
  }
}

function report(): void {
  const { answered, neverSucceeded, lines } = tally
  const never = neverSucceeded.join(', ') || 'none'
  console.log(`operations that answered: ${answered.length}; that never succeeded: ${never}`)
  if (process.env.FUZZ_COUNTS !== undefined) {
    for (const line of lines) console.log(line)
  }
  for (const line of findings.lines) console.log(`FOUND ${line}`)
  console.log(`fuzz: ${findings.count} findings, --seed ${seed}`)
}
