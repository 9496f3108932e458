// What comes out of a case of tests/vectors, and how it is compared; its README says how.

import assert from 'node:assert/strict'
import { appendFileSync, readFileSync } from 'node:fs'

import * as cbpii from 'cbpii'

export const FOLDER = new URL('../../tests/vectors/', import.meta.url)

export const textOf = (name) => readFileSync(new URL(name, FOLDER), 'utf8')

export const read = (name) => JSON.parse(textOf(name))

/** Appends a case to the file that the environment names, if it names one. */
export function tell(suite, name, facts) {
  const path = process.env.CBPII_OUTCOMES
  if (path) {
    appendFileSync(path, `${JSON.stringify({ suite, case: name, facts })}\n`)
  }
}

/** A moment as the cases write it. */
export const written = (moment) => (moment === undefined ? null : moment.toISOString().replace(/\.?0*Z$/, 'Z'))

/** The object, which must have no other members. */
export function known(given, ...names) {
  const others = Object.keys(given).filter((name) => !names.includes(name))
  assert.deepEqual(others, [])
  return given
}

/** A name of the cases as JavaScript has it. */
export const camel = (name) => name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase())

export function requestOf(given) {
  known(given, 'reference', 'account', 'amount', 'currency', 'payee', 'request_id', 'psu')
  const amount = new cbpii.Amount(given.amount, given.currency)
  const { iban, other, currency, workspace } = known(given.account, 'iban', 'other', 'currency', 'workspace')
  assert.ok(iban === undefined || other === undefined)
  const account =
    other === undefined
      ? new cbpii.Account(iban, { currency, workspace })
      : cbpii.Account.other({ ...known(other, 'identification', 'scheme', 'issuer'), currency, workspace })
  const { reference, payee, request_id: requestId } = given
  const psu = given.psu && Object.fromEntries(Object.entries(given.psu).map(([name, value]) => [camel(name), value]))
  return new cbpii.FundsRequest({ reference, account, amount, payee, requestId, psu })
}

/** All but how long it took. */
export function factsOfConfirmation(answer) {
  return {
    available: answer.available,
    reference: answer.reference,
    request_id: answer.requestId ?? null,
    correlation_id: answer.correlationId ?? null,
    bank_id: answer.bankId,
    checked_at: written(answer.checkedAt),
    response_signature: answer.responseSignature,
    deprecation_warning: answer.deprecationWarning ?? null,
  }
}

export function factsOfTokens(tokens) {
  return {
    access_token: tokens.accessToken.expose(),
    refresh_token: tokens.refreshToken?.expose() ?? null,
    token_type: tokens.tokenType,
    scope: tokens.scope ?? null,
    obtained_at: written(tokens.obtainedAt),
    expires_at: written(tokens.expiresAt),
    consent_expires_at: written(tokens.consentExpiresAt),
  }
}

export function factsOfSession(session) {
  const status = session.status()
  return {
    id: session.id,
    state: status.state,
    next_action: status.nextAction,
    consent_expires_at: written(status.consentExpiresAt),
    renew_from: written(status.renewFrom),
    days_left: status.daysLeft,
    has_unsaved_tokens: session.hasUnsavedTokens,
    history: session.history().map(({ event, at, cause }) => [event, written(at), cause ?? null]),
  }
}

export function factsOfExplanation(explanation) {
  return {
    method: explanation.method,
    url: explanation.url,
    headers: explanation.headers,
    body: explanation.body,
    digest_input: explanation.digestInput ?? null,
    signing_string: explanation.signingString ?? null,
    key_id: explanation.keyId ?? null,
    key_id_source: explanation.keyIdSource ?? null,
  }
}

/** What was found, and in what. */
export function factsOfFindings(report) {
  return {
    organisation_identifier: report.organisationIdentifier,
    chain_length: report.chainLength,
    findings: report.findings.map(({ severity, code }) => [severity, code]),
  }
}

/** The facts of an error of the library; anything else that was thrown goes on. */
export function factsOfError(error) {
  if (!(error instanceof cbpii.CbpiiError)) {
    throw error
  }
  return {
    error: error.code,
    number: cbpii.CATALOGUE.get(error.code).number,
    kind: error.kind,
    advice: error.advice,
    message: error.message,
    bank_code: error.bankCode ?? null,
    bank_message: error.bankMessage ?? null,
    http_status: error.httpStatus ?? null,
    retry_after_seconds: error.retryAfterMs === undefined ? null : error.retryAfterMs / 1000,
    request_id: error.requestId ?? null,
    correlation_id: error.correlationId ?? null,
    request_sent: error.requestSent,
  }
}

/** Equal as JSON, whatever the order of members. */
function same(expected, actual) {
  try {
    assert.deepStrictEqual(JSON.parse(JSON.stringify(actual)), expected)
    return true
  } catch {
    return false
  }
}

/** Every expected fact must be there and equal; an error must be expected. */
export function* differences(expected, actual) {
  for (const [fact, value] of Object.entries(expected)) {
    if (!(fact in actual)) {
      yield `${fact} is not there (it should be ${JSON.stringify(value)}), but ${JSON.stringify(actual)}`
    } else if (!same(value, actual[fact])) {
      yield `${fact} is ${JSON.stringify(actual[fact])}, not ${JSON.stringify(value)}`
    }
  }
  if ('error' in actual && !('error' in expected)) {
    yield `fails with ${actual.error}`
  }
}
