/** Members that the questions about access have in common. */
import { list, required, string, structure } from './shape.ts'

/** ARN of a user, a role or a session. */
export const subjectArn = string({ min: 20, max: 2048, pattern: /^arn:aws:(iam|sts)::\d{12}:.+$/ })
/** An action on keys, without wildcards. */
export const keyAction = string({ min: 5, max: 128, pattern: /^kms:[A-Za-z]+$/ })
/** Values of condition keys that a call would have. */
export const contextValues = list(
  structure({
    Key: required(string({ min: 1, max: 256, pattern: /^[A-Za-z0-9-]+:.+$/ })),
    Values: required(list(string({ max: 2048 }), { min: 1, max: 100 })),
  }),
  { max: 100 },
)
