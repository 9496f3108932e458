/** Transports written in JavaScript. */

import { inspect } from 'node:util'

import { answer } from './callbacks.js'
import { bytes, wrongType } from './check.js'
import type * as Native from './native.js'

/** One request, complete, as a transport has to send it: path, headers in this order, and body byte for byte. */
export interface HttpRequest {
  /** Always `POST`. */
  readonly method: string
  /** The absolute https URL. */
  readonly url: string
  /** Names and values in order. `Host` and `Content-Length` are the transport's business. */
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>
  /** The body: it has been digested and signed. */
  readonly body: Buffer
  /** The milliseconds that are left for the whole exchange. */
  readonly timeoutMs: number
  /** Whether it must not travel on a connection that has been idle: it changes something at the bank. */
  readonly freshConnection: boolean
  /** Aborted when nobody waits for the answer any more: the call was cancelled, or its time is over. */
  readonly signal: AbortSignal
}

/** One whole answer of a transport. */
export interface HttpResponse {
  /** The status, 100 to 599. */
  readonly status: number
  /** Names and values: pairs, or anything that iterates over pairs, such as a `Headers` or a `Map`; or an object. */
  readonly headers: Iterable<readonly [name: string, value: string]> | Readonly<Record<string, string>>
  /** The whole body, at most 1 MiB. */
  readonly body: Uint8Array
}

/**
 * Another way to send a request: TLS and the client certificate are then its business. It must not follow redirects, not
 * retry, and not treat a status as an error. What it throws becomes `network.transport_failed` with what was thrown as
 * `cause`, or stays as it is when it is a {@link CbpiiError}.
 */
export type Transport = (request: HttpRequest) => HttpResponse | Promise<HttpResponse>

function pairs(headers: unknown): string[][] {
  if (typeof headers !== 'object' || headers === null) {
    throw wrongType(headers, 'headers of the answer', 'pairs of names and values')
  }
  const given = Symbol.iterator in headers ? [...(headers as Iterable<unknown>)] : Object.entries(headers)
  return given.map((pair) => {
    if (!Array.isArray(pair) || pair.length !== 2 || pair.some((part) => typeof part !== 'string')) {
      throw wrongType(pair, 'headers of the answer', 'pairs of names and values')
    }
    return pair as string[]
  })
}

function requestOf(given: Native.OutgoingRequest, signal: AbortSignal): HttpRequest {
  const request = { ...given, headers: given.headers as unknown as HttpRequest['headers'], signal }
  const { method, url, timeoutMs, freshConnection } = request
  // The headers have the access token, and the body has the account.
  const shown = { method, url, headers: request.headers.map(([name]) => name), timeoutMs, freshConnection }
  Object.defineProperty(request, inspect.custom, { value: () => `HttpRequest ${inspect(shown)}`, enumerable: false })
  Object.defineProperty(request, 'toJSON', { value: () => shown, enumerable: false })
  return Object.freeze(request)
}

/** @internal The function that the addon asks. */
export function exchanging(transport: Transport): (told: Native.Exchange | number) => unknown {
  const underWay = new Map<number, AbortController>()
  return (told) => {
    if (typeof told === 'number') {
      underWay.get(told)?.abort()
      return undefined
    }
    const [number, controller] = [told.number(), new AbortController()]
    underWay.set(number, controller)
    const ask = () => transport(requestOf(told.request(), controller.signal))
    return answer<unknown>(told, 'transport', ask, (given) => giveAnswer(told, given)).finally(() =>
      underWay.delete(number),
    )
  }
}

function giveAnswer(exchange: Native.Exchange, given: unknown): void {
  if (typeof given !== 'object' || given === null) {
    throw wrongType(given, 'answer of the transport', 'an object with status, headers and body')
  }
  const { status, headers, body } = given as HttpResponse
  if (!Number.isInteger(status) || status < 100 || status > 599) {
    throw wrongType(status, 'status of the answer', 'a whole number from 100 to 599')
  }
  exchange.answered(status, pairs(headers), bytes(body, 'body of the answer'))
}
