/**
 * Measures a stack of its own on this machine, and beside it, in the same run, what cannot be
 * undercut. Numbers of different runs and machines say little; the ratios of one run do.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateKeyCommand, EncryptCommand, KMSClient } from '@aws-sdk/client-kms'
import { CreateBucketCommand } from '@aws-sdk/client-s3'
import { orSayUsage, readFlags } from '../infra/usage.ts'
import { blobThroughput, s3Client } from './blobs.ts'
import { cryptographyAlone, rawAesGcm } from './floors.ts'
import type { Load, LoadResult } from './load.ts'
import { decisionCost } from './policies.ts'
import { signedKmsRequest, type Target } from './sign.ts'

const { quick: QUICK } = orSayUsage(() =>
  readFlags(
    process.argv.slice(2),
    { quick: { type: 'boolean', default: false } },
    'npm run bench -- [--quick]',
  ),
)
const DURATION_MS = QUICK ? 1000 : 5000
const WARMUP_MS = QUICK ? 500 : 2000
const CONNECTIONS = 32
const OBJECT_MB = QUICK ? 32 : 256
/** Requests are signed once and sent again and again; enough different ones that nothing is special. */
const DISTINCT = 64

const folder = mkdtempSync(join(tmpdir(), 'keyhold-bench-'))
const credentials = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
}

async function startStack(): Promise<{ endpoint: string; stop(): Promise<void> }> {
  const child = fork(join(import.meta.dirname, '../infra/local/main.ts'), ['--port', '0'], {
    env: {
      ...process.env,
      KEYHOLD_DATA_DIR: folder,
      KEYHOLD_ACCESS_KEY_ID: credentials.accessKeyId,
      KEYHOLD_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  let printed = ''
  for await (const chunk of child.stdout ?? []) {
    printed += chunk
    const endpoint = /http:\/\/127\.0\.0\.1:\d+/.exec(printed)?.[0]
    if (endpoint !== undefined) {
      child.stdout?.resume()
      return {
        endpoint,
        async stop() {
          child.kill('SIGINT')
          await once(child, 'exit')
        },
      }
    }
  }
  throw new Error('The stack did not start.')
}

async function generate(endpoint: string, requests: readonly Buffer[]): Promise<LoadResult> {
  const { hostname, port } = new URL(endpoint)
  const load: Load = {
    host: hostname,
    port: Number(port),
    requests: requests.map((request) => request.toString('base64')),
    connections: CONNECTIONS,
    warmupMs: WARMUP_MS,
    durationMs: DURATION_MS,
  }
  const child = fork(join(import.meta.dirname, 'load.ts'))
  child.send(load)
  const [result] = await once(child, 'message')
  return result as LoadResult
}

async function emptyServer(requests: readonly Buffer[]): Promise<LoadResult> {
  const child = fork(join(import.meta.dirname, 'floors.ts'), ['empty-server'])
  const [port] = await once(child, 'message')
  const result = await generate(`http://127.0.0.1:${port}`, requests)
  child.kill()
  return result
}

const many = (make: () => Promise<Buffer>): Promise<Buffer[]> =>
  Promise.all(Array.from({ length: DISTINCT }, make))

async function measure() {
  const stack = await startStack()
  const target: Target = { endpoint: stack.endpoint, region: 'us-east-1', ...credentials }
  const kms = new KMSClient({ endpoint: stack.endpoint, region: target.region, credentials })
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
  const KeyId = KeyMetadata?.KeyId ?? ''
  const EncryptionContext = { team: 'payments' }
  const Plaintext = Buffer.alloc(32, 1)
  const sealed = await kms.send(new EncryptCommand({ KeyId, Plaintext, EncryptionContext }))
  const CiphertextBlob = Buffer.from(sealed.CiphertextBlob ?? []).toString('base64')
  const encryptRequests = await many(() =>
    signedKmsRequest(target, 'Encrypt', {
      KeyId,
      Plaintext: Plaintext.toString('base64'),
      EncryptionContext,
    }),
  )
  const http = { empty: await emptyServer(encryptRequests) }
  const encrypt = await generate(stack.endpoint, encryptRequests)
  const decrypt = await generate(
    stack.endpoint,
    await many(() => signedKmsRequest(target, 'Decrypt', { CiphertextBlob, EncryptionContext })),
  )
  const generateDataKey = await generate(
    stack.endpoint,
    await many(() =>
      signedKmsRequest(target, 'GenerateDataKey', { KeyId, KeySpec: 'AES_256', EncryptionContext }),
    ),
  )
  const s3 = s3Client(target)
  await s3.send(new CreateBucketCommand({ Bucket: 'bench' }))
  const blobs = await blobThroughput(s3, OBJECT_MB)
  await stack.stop()
  const cryptography = cryptographyAlone(DURATION_MS / 2)
  const aesGcm = rawAesGcm(DURATION_MS / 2)
  const decision = decisionCost(DURATION_MS / 4)
  return { http, encrypt, decrypt, generateDataKey, blobs, cryptography, aesGcm, decision }
}

type Measured = Awaited<ReturnType<typeof measure>>

const ratiosOf = ({
  http,
  encrypt,
  decrypt,
  generateDataKey,
  blobs,
  cryptography,
  aesGcm,
}: Measured) => ({
  'Encrypt / empty server': encrypt.perSecond / http.empty.perSecond,
  'Decrypt / empty server': decrypt.perSecond / http.empty.perSecond,
  'GenerateDataKey / empty server': generateDataKey.perSecond / http.empty.perSecond,
  'Encrypt / its cryptography alone': encrypt.perSecond / cryptography.encrypt,
  'Decrypt / its cryptography alone': decrypt.perSecond / cryptography.decrypt,
  'PUT / raw AES-256-GCM': blobs.putMBps / aesGcm,
  'GET / raw AES-256-GCM': blobs.getMBps / aesGcm,
})

function print(measured: Measured, ratios: Readonly<Record<string, number>>): void {
  const { http, encrypt, decrypt, generateDataKey, blobs, cryptography, aesGcm, decision } =
    measured
  const rows = {
    'empty node:http server': http.empty,
    Encrypt: encrypt,
    Decrypt: decrypt,
    GenerateDataKey: generateDataKey,
  }
  console.log(`${CONNECTIONS} connections, ${DURATION_MS / 1000} s each, Node ${process.version}`)
  for (const [name, { perSecond, p50, p99, errors }] of Object.entries(rows)) {
    const failed = errors === 0 ? '' : `, ${errors} failed`
    console.log(
      `${name.padEnd(24)} ${perSecond.toFixed(0).padStart(8)} /s   p50 ${p50.toFixed(2)} ms   p99 ${p99.toFixed(2)} ms${failed}`,
    )
  }
  console.log(
    `cryptography alone       ${cryptography.encrypt.toFixed(0).padStart(8)} Encrypt /s, ${cryptography.decrypt.toFixed(0)} Decrypt /s`,
  )
  console.log(
    `PUT, GET of ${OBJECT_MB} MiB       ${blobs.putMBps.toFixed(0)} MB/s, ${blobs.getMBps.toFixed(0)} MB/s`,
  )
  console.log(`raw AES-256-GCM          ${aesGcm.toFixed(0).padStart(8)} MB/s`)
  console.log(
    `a decision over ten policies  ${decision.allowed.toFixed(1)} µs allowed, ${decision.refused.toFixed(1)} µs refused, ${decision.empty.toFixed(3)} µs an empty call`,
  )
  for (const [name, ratio] of Object.entries(ratios))
    console.log(`${name.padEnd(34)} ${ratio.toFixed(3)}`)
}

try {
  const measured = await measure()
  const ratios = ratiosOf(measured)
  print(measured, ratios)
  const results = join(import.meta.dirname, 'results')
  mkdirSync(results, { recursive: true })
  const file = join(results, `${new Date().toISOString().replaceAll(':', '-')}.json`)
  const machine = { cpus: cpus().length, model: cpus()[0]?.model, node: process.version }
  writeFileSync(file, `${JSON.stringify({ machine, ratios, ...measured }, null, 2)}\n`)
  console.log(`written to ${file}`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
