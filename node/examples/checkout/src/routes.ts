/** What a shopper can do: look around, register a card, order, pay. */

import { randomUUID } from 'node:crypto'

import { CbpiiError, type PsuContext, type SessionPool } from 'cbpii'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import type { Notice } from './notices.js'
import { noticeOfRegistration } from './notices.js'
import { ARTICLES, isSettled, type Order, Orders } from './orders.js'
import { show, takeNotice } from './pages.js'
import type { Payment } from './payment.js'
import type { Registration } from './registration.js'

export interface Parts {
  readonly pool: SessionPool
  readonly registration: Registration
  readonly payment: Payment
}

/** Goes to another page of ours: a form that was sent is never sent again by loading the page again. */
function go(reply: FastifyReply, path: '/' | '/card' | `/orders/${string}`): FastifyReply {
  return reply.redirect(path, 303)
}

function goAndSay(request: FastifyRequest, reply: FastifyReply, path: '/' | '/card', notice: Notice): FastifyReply {
  request.session.set('notice', notice)
  return go(reply, path)
}

/** A text of a form. */
const field = (name: string, rule: object) =>
  ({ schema: { body: { type: 'object', required: [name], properties: { [name]: rule } } } }) as const

export function addRoutes(app: FastifyInstance, parts: Parts): void {
  const orders = new Orders()
  const protectedForm = { preHandler: app.csrfProtection }
  addCard(app, parts, orders, protectedForm)
  addShop(app, orders, protectedForm)
  addPayment(app, parts, orders, protectedForm)
}

interface Protected {
  readonly preHandler: FastifyInstance['csrfProtection']
}

function addCard(app: FastifyInstance, { pool, registration }: Parts, orders: Orders, form: Protected): void {
  app.get('/card', async (request, reply) => {
    const notice = takeNotice(request)
    const card = request.session.get('card')
    const status = card && (await statusOf(pool, card.consent, request))
    const order = orders.of(request.session.get('shopper'), request.session.get('order') ?? '')
    const waiting = order && !isSettled(order) ? order : undefined
    return show(request, reply, 'card', { title: 'Your card', notice, status, typed: '', order: waiting })
  })

  const toTheBank = (request: FastifyRequest, reply: FastifyReply, iban: string) => {
    const { registering, url } = registration.begin(iban)
    request.session.set('registering', registering)
    return reply.redirect(url, 303)
  }

  app.post<{ Body: { iban: string } }>(
    '/card',
    { ...form, ...field('iban', { type: 'string', maxLength: 100 }) },
    async (request, reply) => {
      try {
        return toTheBank(request, reply, request.body.iban)
      } catch (error) {
        if (error instanceof CbpiiError && error.kind === 'invalid_request') {
          const notice = noticeOfRegistration(error)
          return show(request, reply.code(422), 'card', { title: 'Your card', notice, typed: request.body.iban })
        }
        throw error
      }
    },
  )

  app.post('/card/renew', form, async (request, reply) => {
    const card = request.session.get('card')
    return card ? toTheBank(request, reply, card.iban) : goAndSay(request, reply, '/card', 'no_card')
  })

  app.get('/callback', async (request, reply) => {
    const registering = request.session.get('registering')
    if (registering === undefined) {
      // The page was loaded again, or the shopper came back to it.
      return request.session.get('card') ? go(reply, '/card') : goAndSay(request, reply, '/card', 'not_this_browser')
    }
    const done = await registration.complete(registering, request.url, request.session.get('card'), request.log)
    if ('card' in done) {
      request.session.set('registering', undefined)
      request.session.set('card', done.card)
      return go(reply, '/card')
    }
    if (done.over) {
      request.session.set('registering', undefined)
    }
    return goAndSay(request, reply, '/card', done.notice)
  })

  app.post('/card/remove', form, async (request, reply) => {
    const card = request.session.get('card')
    if (card !== undefined) {
      await pool.forget(card.consent)
      request.session.set('card', undefined)
    }
    return go(reply, '/card')
  })
}

/** How the consent behind a card stands; undefined when the store cannot say. */
async function statusOf(pool: SessionPool, consent: string, request: FastifyRequest) {
  try {
    return (await pool.open(consent)).status()
  } catch (error) {
    request.log.warn({ err: error }, 'the state of a consent is not known')
    return undefined
  }
}

function addShop(app: FastifyInstance, orders: Orders, form: Protected): void {
  app.get('/', async (request, reply) =>
    show(request, reply, 'shop', { title: 'The shop', notice: takeNotice(request), articles: ARTICLES }),
  )

  const article = { type: 'string', enum: ARTICLES.map(({ id }) => id) }
  app.post<{ Body: { article: string } }>(
    '/orders',
    { ...form, ...field('article', article) },
    async (request, reply) => {
      const shopper = request.session.get('shopper') ?? randomUUID()
      request.session.set('shopper', shopper)
      const chosen = ARTICLES.find(({ id }) => id === request.body.article)
      if (chosen === undefined) {
        return reply.callNotFound()
      }
      const { id } = orders.place(shopper, chosen)
      request.session.set('order', id)
      return go(reply, `/orders/${id}`)
    },
  )
}

function addPayment(app: FastifyInstance, { payment }: Parts, orders: Orders, form: Protected): void {
  type Named = { Params: { id: string } }
  const mine = (request: FastifyRequest<Named>): Order | undefined =>
    orders.of(request.session.get('shopper'), request.params.id)

  app.get<Named>('/orders/:id', async (request, reply) => {
    const order = mine(request)
    if (order === undefined) {
      return reply.callNotFound()
    }
    const notice = order.state.is === 'unpaid' ? order.state.notice : undefined
    return show(request, reply, 'order', { title: 'Your order', notice, order, settled: isSettled(order) })
  })

  const attempt = field('attempt', { type: 'integer', minimum: 1 })
  app.post<Named & { Body: { attempt: number } }>(
    '/orders/:id/pay',
    { ...form, ...attempt },
    async (request, reply) => {
      const order = mine(request)
      if (order === undefined) {
        return reply.callNotFound()
      }
      const card = request.session.get('card')
      if (card === undefined) {
        return goAndSay(request, reply, '/card', 'no_card')
      }
      const { log } = request
      await payment.pay(order, {
        number: request.body.attempt,
        card,
        psu: psuOf(request),
        leaving: leaving(reply),
        log,
      })
      return go(reply, `/orders/${order.id}`)
    },
  )

  app.post<Named>('/orders/:id/pay-on-delivery', form, async (request, reply) => {
    const order = mine(request)
    if (order === undefined) {
      return reply.callNotFound()
    }
    if (!isSettled(order)) {
      order.state = { is: 'on_delivery' }
    }
    return go(reply, `/orders/${order.id}`)
  })
}

/** Aborted when the shopper's connection ends before the answer. */
function leaving(reply: FastifyReply): AbortSignal {
  const gone = new AbortController()
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) {
      gone.abort(new Error('the shopper left'))
    }
  })
  return gone.signal
}

/** What the bank may know of the shopper, who is present: it decides on fraud with it. */
function psuOf(request: FastifyRequest): PsuContext {
  const userAgent = request.headers['user-agent']
  const isSendable = userAgent !== undefined && /^[!-~](?:[ -~]*[!-~])?$/.test(userAgent)
  return { ipAddress: request.ip, httpMethod: request.method, ...(isSendable && { userAgent }) }
}
