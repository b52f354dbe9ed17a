const OUT_OF_RANGE = /[^\0-\xff]/

/**
 * Lower case for what the policy language compares without regard to case: actions, names of
 * condition keys, and values under the `…IgnoreCase` operators. Only letters that a policy can spell
 * (U+0020 to U+00FF) are folded, so that no other character (the Kelvin sign, say) can pass for one.
 */
export const foldCase = (text: string): string =>
  OUT_OF_RANGE.test(text)
    ? text.replace(/[A-ZÀ-ÖØ-Þ]+/g, (run) => run.toLowerCase())
    : text.toLowerCase()
