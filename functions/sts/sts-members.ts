/** Members that requests of STS have in common, with the limits of the service model. */
import { queryInteger, queryList } from '../../shared/lambda/query-form.ts'
import { required, string, structure } from '../../shared/pipeline/shape.ts'

const UNICODE =
  '[\\u0009\\u000A\\u000D\\u0020-\\u007E\\u0085\\u00A0-\\uD7FF\\uE000-\\uFFFD\\u10000-\\u10FFFF]+'
const NAME = { pattern: /^[\w+=,.@-]*$/, patternText: '[\\w+=,.@-]*', min: 2, max: 64 }

export const arn = string({
  min: 20,
  max: 2048,
  pattern: /^[\t\n\r -~\u0085\u00a0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]+$/u,
  patternText: UNICODE,
})

export const roleSessionName = string(NAME)
export const sourceIdentity = string(NAME)

const policyText = {
  min: 1,
  pattern: /^[\t\n\r -\u00ff]+$/,
  patternText: '[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+',
}
/** Of any length: what is too much is told as a share of what there is room for. */
export const unrestrictedPolicy = string(policyText)
export const policy = string({ ...policyText, max: 2048 })

export const policyArns = queryList(structure({ arn }), { max: 10 })

export const roleDuration = queryInteger({ min: 900, max: 43_200 })

const TAG_CHARACTERS = '[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]'
const tagKey = string({
  min: 1,
  max: 128,
  pattern: /^[\p{L}\p{Z}\p{N}_.:/=+\-@]+$/u,
  patternText: `${TAG_CHARACTERS}+`,
})
const tagValue = string({
  max: 256,
  pattern: /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u,
  patternText: `${TAG_CHARACTERS}*`,
})

export const tagList = queryList(structure({ Key: required(tagKey), Value: required(tagValue) }), {
  max: 50,
})
export const tagKeyList = queryList(tagKey, { max: 50 })

export const serialNumber = string({
  min: 9,
  max: 256,
  pattern: /^[\w+=/:,.@-]*$/,
  patternText: '[\\w+=/:,.@-]*',
})
export const tokenCode = string({ min: 6, max: 6, pattern: /^\d*$/, patternText: '[\\d]*' })
