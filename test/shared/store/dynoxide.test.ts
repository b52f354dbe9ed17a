/** The contract over an engine that is nearer to DynamoDB, where its binary is installed. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { test } from 'vitest'
import { type Engine, storeContract } from './contract.ts'

const binary = findBinary()
if (binary === null) test.skip('@dynoxide/linux-x64 is not installed here', () => {})
else storeContract('dynoxide', () => startDynoxide(binary))

function findBinary(): string | null {
  try {
    return createRequire(import.meta.url).resolve('@dynoxide/linux-x64/dynoxide')
  } catch {
    return null
  }
}

async function startDynoxide(path: string): Promise<Engine> {
  const port = await freePort()
  const engine = spawn(path, ['serve', '--port', String(port)], { stdio: 'ignore' })
  const endpoint = `http://127.0.0.1:${port}`
  await answers(endpoint)
  return {
    endpoint,
    async close() {
      const ended = once(engine, 'exit')
      engine.kill()
      await ended
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}

async function answers(endpoint: string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const reached = await fetch(endpoint).then(
      () => true,
      () => false,
    )
    if (reached) return
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  throw new Error('dynoxide does not answer.')
}
