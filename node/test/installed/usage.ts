// How the package is used from TypeScript: check-package compiles it, strictly, as ES module and as CommonJS.

import {
  Account,
  Amount,
  Bank,
  CATALOGUE,
  CbpiiError,
  type CheckOutcome,
  Client,
  ConsentRequiredError,
  type ConsentStore,
  type FundsConfirmation,
  FundsRequest,
  Iban,
  InvalidRequestError,
  Issuer,
  inspectCertificate,
  PendingConsent,
  RateLimitedError,
  SealedStore,
  SealIdentity,
  type Session,
  SessionPool,
  type Signer,
  type Tokens,
  type Transport,
  TransportIdentity,
} from 'cbpii'
import { PERSONAS, Sandbox } from 'cbpii/testing'

export const signer: Signer = {
  algorithms: ['rsa-pss-sha256', 'rsa-pkcs1-sha256'],
  async sign(algorithm, message) {
    return algorithm === 'rsa-pss-sha256' ? message.subarray(1) : new Uint8Array(256)
  },
}

export const transport: Transport = async ({ method, url, headers, body, signal }) => {
  const answer = await fetch(url, {
    method,
    headers: headers.map(([name, value]) => [name, value]),
    body: new Uint8Array(body),
    signal,
  })
  return { status: answer.status, headers: [...answer.headers], body: new Uint8Array(await answer.arrayBuffer()) }
}

export const store: ConsentStore = {
  load: async () => undefined,
  save: (id, sealed, dueAt, expected) => (expected === null && sealed.length > dueAt.getTime() ? id.length : null),
  delete: () => false,
  list: (_dueBefore, after, limit) => (after === null ? [] : [after].slice(0, limit)),
}

export function client(pem: Buffer, key: string): Client {
  const transportIdentity = new TransportIdentity({ certificate: pem, key, password: 'secret' })
  const seal = new SealIdentity({ certificate: pem, signer, keyId: 'https://issuer.example/seal' })
  const issuer = new Issuer({
    clientId: 'PSDFR-ACPR-12345',
    redirectUri: 'https://issuer.example/callback',
    transport: transportIdentity,
    seal,
  })
  const bank = Bank.bpce('17515', 'production').with({ consentLifetimeDays: 90 })
  const lifetime: number = bank.consentLifetimeDays
  return new Client({
    bank,
    issuer,
    timeoutMs: 300 + lifetime,
    onEvent: ({ durationMs }) => console.log(durationMs),
    transport,
  })
}

export async function check(asking: Client, tokens: Tokens, signal: AbortSignal): Promise<boolean | undefined> {
  const request = new FundsRequest({
    reference: '1',
    account: new Account(new Iban('FR76'), { currency: 'EUR' }),
    amount: new Amount('1', 'EUR'),
  })
  try {
    const answer: FundsConfirmation = await asking.confirmFunds(tokens, request, { signal, timeoutMs: 300 })
    const at: Date = answer.checkedAt
    return at.getTime() > 0 && answer.available
  } catch (error) {
    if (error instanceof ConsentRequiredError || error instanceof InvalidRequestError) {
      return undefined
    }
    if (error instanceof RateLimitedError) {
      const pause: number | undefined = error.retryAfterMs
      console.log(pause, CATALOGUE.get(error.code)?.summary)
    }
    if (error instanceof CbpiiError && error.advice === 'retry') {
      return undefined
    }
    throw error
  }
}

export async function many(pool: SessionPool): Promise<void> {
  const session: Session = await pool.open('claire')
  const checks = [
    {
      consent: session,
      request: { reference: '1', account: 'FR76', amount: '1', currency: 'EUR' },
      context: { row: 1 },
    },
  ]
  for await (const outcome of pool.confirmMany(checks, { maxInFlight: 4 })) {
    const typed: CheckOutcome<{ row: number }> = outcome
    console.log(typed.check.context?.row, outcome.confirmation?.available ?? outcome.error?.code)
  }
  for await (const { reason, consentExpiresAt } of pool.renewalsDue(new Date())) {
    console.log(reason satisfies 'ending' | 'refused' | 'lost', consentExpiresAt.toISOString())
  }
}

export async function tests(): Promise<void> {
  const sandbox = await Sandbox.start('--rotation', 'rotated')
  const asking = sandbox.client({ retries: 0 })
  const pending = PendingConsent.deserialize(asking.beginConsent().serialize())
  const tokens = await asking.completeConsent(pending, await sandbox.approve(pending.url, 'LEA'))
  const sealed = await SealedStore.open(store, { key: new Uint8Array(32) })
  await many(new SessionPool({ client: asking, store: sealed }))
  console.log(PERSONAS.LEA, tokens.accessToken.masked, inspectCertificate('-----BEGIN').psd2Roles.includes('PSP_IC'))
  await sandbox.close()
}

export function refused(asking: Client, tokens: Tokens): void {
  // @ts-expect-error: amounts are texts, never numbers.
  new Amount(12.5, 'EUR')
  // @ts-expect-error: an environment is one of three.
  Bank.bpce('17515', 'moon')
  // @ts-expect-error: an option is spelled right.
  asking.beginConsent({ validFor: 1 })
  // @ts-expect-error: a request needs an account.
  asking.confirmFunds(tokens, { reference: '1', amount: '1', currency: 'EUR' })
  // @ts-expect-error: a record does not change.
  asking.bank.name = 'another'
  // @ts-expect-error: tokens are not a text.
  asking.refresh('token')
  // @ts-expect-error: pending consents are made by a client.
  new PendingConsent()
}
