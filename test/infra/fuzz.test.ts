/** The fuzzer sees what it is there to see: it is tried on servers that misbehave. */

import type { AddressInfo } from 'node:net'
import { createServer, type Server, type Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { Connection, NoAnswer, parseAnswer } from '../fuzz/connection.ts'
import { Findings } from '../fuzz/findings.ts'
import { fireBytes } from '../fuzz/fire-bytes.ts'
import { signer } from '../fuzz/signer.ts'
import { watchOutput } from '../fuzz/watch.ts'
import { SECRET_MARKER } from '../support/kms-world.ts'
import { send } from '../support/raw-call.ts'
import { givenStack } from '../support/stack-client.ts'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

/** @param serve - gets each connection with the number of those before it */
async function givenServer(serve: (socket: Socket, number: number) => void) {
  let number = 0
  const server = createServer((socket) => {
    socket.on('error', () => {})
    serve(socket, number++)
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { hostname: '127.0.0.1', port, connection: new Connection('127.0.0.1', port, 200) }
}

const ok = (body: string): string =>
  `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`
const REQUEST = Buffer.from('GET / HTTP/1.1\r\n\r\n')

describe('A connection of the fuzzer', () => {
  test('gives answers in the order of the requests, however they arrive', async () => {
    const { connection } = await givenServer((socket) => {
      socket.once('data', () => {
        const all = `${ok('one')}HTTP/1.1 100 Continue\r\n\r\n${ok('two')}`
        socket.write(all.slice(0, 30))
        setTimeout(() => socket.write(all.slice(30)), 10)
      })
    })
    const answers = await Promise.all([connection.send(REQUEST), connection.send(REQUEST)])
    expect(answers.map(({ body }) => body)).toEqual(['one', 'two'])
    connection.close()
  })

  test('sees a server that hangs', async () => {
    const { connection } = await givenServer(() => {})
    await expect(connection.send(REQUEST)).rejects.toEqual(new NoAnswer('hangs'))
    connection.close()
  })

  test('sees a connection that is dropped, and asks the rest again', async () => {
    const { connection } = await givenServer((socket, number) => {
      socket.once('data', () => (number === 0 ? socket.destroy() : socket.write(ok('again'))))
    })
    const [first, second] = await Promise.allSettled([
      connection.send(REQUEST),
      connection.send(REQUEST),
    ])
    expect(first).toMatchObject({ status: 'rejected', reason: { how: 'dropped' } })
    expect(second).toMatchObject({ status: 'fulfilled', value: { body: 'again' } })
    connection.close()
  })

  test('lets a server close that says so, and asks the rest again', async () => {
    const closing = 'HTTP/1.1 413 Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n'
    const { connection } = await givenServer((socket, number) => {
      socket.once('data', () => socket.end(number === 0 ? closing : ok('again')))
    })
    const answers = await Promise.all([connection.send(REQUEST), connection.send(REQUEST)])
    expect(answers.map(({ status }) => status)).toEqual([413, 200])
    connection.close()
  })
})

test('Bytes are answered, closed upon, or the server hangs', async () => {
  const answering = await givenServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\nno'))
  expect(await fireBytes(REQUEST, answering, 1000)).toEqual({
    status: 400,
    body: 'no',
    length: 30,
    closes: false,
  })
  const closing = await givenServer((socket) => socket.destroy())
  expect(await fireBytes(REQUEST, closing, 1000)).toBeNull()
  const hanging = await givenServer(() => {})
  await expect(fireBytes(REQUEST, hanging, 100)).rejects.toEqual(new NoAnswer('hangs'))
})

test('What is no answer is refused, chunks are put together', () => {
  expect(() => parseAnswer(Buffer.from('SMTP\r\n\r\n'), false)).toThrow('Not an answer')
  const chunked =
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n'
  expect(parseAnswer(Buffer.from(chunked), false)).toMatchObject({
    body: 'abc',
    length: chunked.length,
  })
  for (let length = 0; length < chunked.length; length++) {
    expect(parseAnswer(Buffer.from(chunked.slice(0, length)), false)).toBeNull()
  }
})

describe('What the stack writes', () => {
  const told = async (line: string): Promise<readonly string[]> => {
    const findings = new Findings()
    const [stdout, stderr] = [new PassThrough(), new PassThrough()]
    watchOutput({ stdout, stderr }, 'the-secret-access-key', findings)
    stdout.write(line.slice(0, 10)) // a line may come in pieces
    stdout.write(`${line.slice(10)}\n`)
    await setImmediate()
    return findings.lines
  }
  const marker = Buffer.from(SECRET_MARKER)

  test.each([
    `{"level":30,"body":"${SECRET_MARKER}abc"}`,
    `{"level":30,"Plaintext":"${Buffer.concat([marker, Buffer.from('abc')]).toString('base64')}"}`,
    `material ${marker.toString('hex')}`,
    JSON.stringify({ buffer: [...marker, 1] }),
    'signed with the-secret-access-key',
  ])('is found to hold a secret: %s', async (line) => {
    expect(await told(line)).toEqual(['wrote a secret to its log'])
  })

  test('is found to hold an error or a warning, and is let be otherwise', async () => {
    expect(await told('{"level":50,"msg":"call failed"}')).toHaveLength(1)
    expect(await told('(node:1) MaxListenersExceededWarning: leak')).toHaveLength(1)
    expect(await told('{"level":30,"msg":"started"}')).toEqual([])
  })
})

test('The cheap signature is the signature', async () => {
  const stack = givenStack()
  const { host } = new URL(stack.endpoint)
  const body = Buffer.from('{"NumberOfBytes":8}')
  const lines = signer(host, stack.credentials)('TrentService.GenerateRandom', body, stack.region)
  const headers = Object.fromEntries(
    lines.split('\r\n').flatMap((line) => {
      const at = line.indexOf(':')
      return at < 0 ? [] : [[line.slice(0, at), line.slice(at + 1).trim()]]
    }),
  )
  expect((await send(stack.endpoint, { headers, body })).status).toBe(200)
})
