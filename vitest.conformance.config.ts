import { defineConfig } from 'vitest/config'

/** Clients that we did not write; each suite skips with a line when its client is not installed. */
export default defineConfig({
  test: {
    include: ['test/conformance/**/*.test.ts'],
    globalSetup: ['test/support/global-stack.ts'],
    pool: 'threads',
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
})
