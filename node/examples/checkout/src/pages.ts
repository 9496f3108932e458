/** Writes the pages of `views/`; what is put into them is escaped. */

import { fileURLToPath } from 'node:url'

import { Iban } from 'cbpii'
import { Eta } from 'eta'
import type { FastifyReply, FastifyRequest } from 'fastify'

import { shown } from './money.js'
import { type Notice, said } from './notices.js'

/** The folder of the example, from `build/src/`. */
export const FOLDER = fileURLToPath(new URL('../..', import.meta.url))

const eta = new Eta({ views: `${FOLDER}/views`, cache: true, autoEscape: true })

/** The pages there are. */
export type Page = 'shop' | 'card' | 'order' | 'problem'

export interface Shown {
  readonly title: string
  /** What the shopper has to be told first. */
  readonly notice?: Notice | undefined
  readonly [name: string]: unknown
}

/** Answers with a page. */
export function show(request: FastifyRequest, reply: FastifyReply, page: Page, facts: Shown): FastifyReply {
  const card = request.session.get('card')
  const { notice, ...rest } = facts
  const html = eta.render(`./${page}`, {
    ...rest,
    said: notice && said(notice),
    card: card && { account: String(new Iban(card.iban)) },
    csrf: reply.generateCsrf(),
    money: shown,
  })
  return reply.type('text/html; charset=utf-8').header('cache-control', 'no-store').send(html)
}

/** What the shopper is to be told on this page; it is said once. */
export function takeNotice(request: FastifyRequest): Notice | undefined {
  const notice = request.session.get('notice')
  if (notice !== undefined) {
    request.session.set('notice', undefined)
  }
  return notice
}
