/** The stack cannot start. The message is one line that says why and what to do. */
export class StartProblem extends Error {
  override readonly name = 'StartProblem'
}
