// A program that ends, as worker-threads.test.mjs has it.

import { bareClient, check, saying, someTokens } from './support.mjs'

const slow = async (request) => {
  await new Promise((resolve) => setTimeout(resolve, 200).unref())
  return saying()(request)
}

const PROGRAMS = {
  // In the middle of calls.
  exits() {
    for (let call = 0; call < 10; call += 1) {
      bareClient({ transport: () => new Promise(() => {}) }).confirmFunds(someTokens(), check())
    }
    setTimeout(() => {
      console.log('ended')
      process.exit(0)
    }, 50)
  },

  // When the last call has ended: a call keeps the process alive.
  async ends() {
    await bareClient({ transport: async (request) => saying()(request) }).confirmFunds(someTokens(), check())
    console.log('ended')
  },

  // A client with nothing to do does not keep it alive.
  async leaves() {
    bareClient({ transport: slow, onEvent() {}, clock: () => new Date() }).beginConsent()
    console.log('ended')
  },
}

await PROGRAMS[process.argv[2]]()
