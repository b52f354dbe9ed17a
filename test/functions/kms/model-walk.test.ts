/**
 * Every operation, every member, every constraint of the service model, just inside and just outside,
 * as bytes on the wire: clients would check some of it themselves.
 */
import { describe, expect, test } from 'vitest'
import {
  brokenValue,
  edgesOf,
  type Fault,
  faultsOf,
  goodRequest,
  membersOf,
  misfitsOf,
  modelledOperations,
  requestOf,
  shapeOf,
} from '../../support/kms-model.ts'
import { type Answer, callKms } from '../../support/raw-call.ts'
import { servedOperations } from '../../support/served-operations.ts'
import { givenStack } from '../../support/stack-client.ts'

/** A Region in which no other test makes anything. */
const stack = givenStack('eu-west-1')
const served = await servedOperations()
const walked = modelledOperations.filter((operation) => served.has(operation))

interface Told {
  readonly __type: string
  readonly message?: string
}

const told = ({ body }: Answer): Told => (body === '' ? { __type: '' } : JSON.parse(body))
const AGGREGATED = /^(\d+) validation errors? detected: /

/** What is wrong with an answer, in a request where the model finds these faults; null: nothing. */
function complaint(answer: Answer, faults: readonly Fault[]): string | null {
  const { __type, message = '' } = told(answer)
  if (answer.status !== 200 && answer.status !== 400) return `answered ${answer.status}`
  const aggregated = AGGREGATED.exec(message)
  if (faults.length === 0) {
    if (aggregated !== null) return `refused what the model allows: ${message.slice(0, 400)}`
    return __type === 'SerializationException' ? `does not read it: ${message}` : null
  }
  if (__type !== 'ValidationException' || aggregated === null) {
    return `does not say ${faults[0]?.text.slice(0, 300)} but ${__type} ${message.slice(0, 300)}`
  }
  return sentencesComplaint(message, faults)
}

/** Every sentence is there, nothing else is, and the count and its plural are right; in any order. */
function sentencesComplaint(message: string, faults: readonly Fault[]): string | null {
  const head = `${faults.length} validation error${faults.length === 1 ? '' : 's'} detected: `
  if (!message.startsWith(head)) return `does not begin with ${head} ${message.slice(0, 400)}`
  const missing = faults.find(({ text }) => !message.includes(text))
  if (missing !== undefined)
    return `lacks ${missing.text.slice(0, 300)} in ${message.slice(0, 600)}`
  const known = faults.reduce((sum, { text }) => sum + text.length, 2 * (faults.length - 1))
  const whole = faults.every((fault) => fault.whole)
  return whole && message.length !== head.length + known
    ? `says more: ${message.slice(0, 600)}`
    : null
}

const short = (value: unknown): string => JSON.stringify(value)?.slice(0, 120) ?? 'undefined'

/** Sends requests a few at a time. @returns a line for each answer that is not as it must be */
async function complaints(
  operation: string,
  requests: readonly unknown[],
  judge: (answer: Answer, request: unknown) => string | null,
): Promise<readonly string[]> {
  const found: string[] = []
  const waiting = [...requests]
  const work = async (): Promise<void> => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const answer = await callKms(stack, operation, next)
      const wrong = judge(answer, next)
      if (wrong !== null) found.push(`${short(next)}: ${wrong}`)
    }
  }
  await Promise.all(Array.from({ length: 8 }, work))
  return found
}

const judgeByModel =
  (operation: string) =>
  (answer: Answer, request: unknown): string | null => {
    const faults = faultsOf(requestName(operation), request)
    const first = faults.length === 0 ? ciphertextFaults(operation, request) : faults
    return complaint(answer, first)
  }

/** The model does without a ciphertext, but only `IGNORE_CIPHERTEXT` does so too. */
function ciphertextFaults(operation: string, request: unknown): readonly Fault[] {
  if (operation !== 'Decrypt' && operation !== 'ReEncrypt') return []
  const { CiphertextBlob, DryRunModifiers } = request as Readonly<Record<string, unknown>>
  if (typeof CiphertextBlob === 'string' || (DryRunModifiers as unknown[] | null)?.length) return []
  const text =
    "Value null at 'ciphertextBlob' failed to satisfy constraint: Member must not be null"
  return [{ text, whole: true }]
}

const requestName = (operation: string): string => `${operation}Request`

describe('what the model allows passes, what it forbids is told in its words:', () => {
  test.each(walked)('%s', { timeout: 60_000 }, async (operation) => {
    const requests = edgesOf(requestName(operation))
    expect(await complaints(operation, requests, judgeByModel(operation))).toEqual([])
  })
})

describe('all that is wrong is told at once:', () => {
  test.each(walked)('%s', async (operation) => {
    const shape = requestOf(operation)
    const broken = Object.fromEntries(
      membersOf(shape).map(([member, name]) => [member, brokenValue(name)]),
    )
    const requests = [broken, {}]
    expect(await complaints(operation, requests, judgeByModel(operation))).toEqual([])
  })
})

describe('a wrong JSON type is none of the model’s constraints but unreadable:', () => {
  test.each(walked)('%s', { timeout: 60_000 }, async (operation) => {
    const requests = misfitsOf(requestName(operation)).filter(
      (misfit) => typeof misfit !== 'string',
    )
    const judge = (answer: Answer): string | null =>
      told(answer).__type === 'SerializationException' && answer.status === 400
        ? null
        : `${answer.status} ${answer.body.slice(0, 300)}`
    expect(await complaints(operation, requests, judge)).toEqual([])
  })
})

describe('what the model does not know is passed over, and null is absence:', () => {
  test.each(walked)('%s', async (operation) => {
    const shape = requestOf(operation)
    const usual = goodRequest(shape)
    const optional = membersOf(shape).filter(([member]) => !shape.required?.includes(member))
    const requests = [
      { ...usual, Unknown: { deep: [1] }, __proto__: null },
      { ...Object.fromEntries(optional.map(([member]) => [member, null])), ...usual },
    ]
    expect(await complaints(operation, requests, judgeByModel(operation))).toEqual([])
  })
})

test('every request shape of the model has the name of its operation', () => {
  expect(modelledOperations.map((operation) => shapeOf(requestName(operation)).type)).toEqual(
    modelledOperations.map(() => 'structure'),
  )
})
