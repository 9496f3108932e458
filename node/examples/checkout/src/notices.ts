/** What a person is told when something did not go as wished: what happened, and what to do next. Never a secret. */

import { CbpiiError } from 'cbpii'

/** The notices there are; a session cookie carries such a name, not a text. */
export type Notice = keyof typeof NOTICES

/** What the shopper can do next. */
export type NextStep = 'register' | 'try_again' | 'none'

interface Said {
  readonly title: string
  readonly text: string
  readonly next: NextStep
}

const NOTICES = {
  iban: {
    title: 'This is not a valid IBAN',
    text: 'Check the number against your bank statement or card: a French IBAN has 27 characters and begins with FR.',
    next: 'none',
  },
  refused: {
    title: 'You did not agree at your bank',
    text: 'No card was registered, and nothing was passed on. If that was a mistake, register it again.',
    next: 'register',
  },
  too_late: {
    title: 'The registration took too long',
    text: 'For your safety it ended by itself, and no card was registered. Please start again.',
    next: 'register',
  },
  not_this_browser: {
    title: 'This registration does not belong to this browser',
    text: 'It was replaced by a newer one, or began somewhere else. No card was registered. Please start again here, in one window.',
    next: 'register',
  },
  not_completed: {
    title: 'Your bank did not complete the registration',
    text: 'It does not accept what it sent you back with. No card was registered. Please start again.',
    next: 'register',
  },
  bank_away: {
    title: 'Your bank cannot be reached at the moment',
    text: 'No card was registered. Please start again in a few minutes.',
    next: 'register',
  },
  no_card: {
    title: 'Register your card first',
    text: 'You can pay with it as soon as your bank has agreed to answer us.',
    next: 'register',
  },
  not_covered: {
    title: 'Your bank says the account does not cover this amount',
    text: 'Nothing was debited and nothing is reserved. Pay on delivery, or try again once there is money on the account.',
    next: 'try_again',
  },
  no_answer: {
    title: 'Your bank did not answer in time',
    text: 'So we do not know whether your account covers this amount. Nothing was debited. Please try again, or pay on delivery.',
    next: 'try_again',
  },
  consent_over: {
    title: 'Your bank needs your agreement again',
    text: 'It ended or was withdrawn. Nothing was debited. Register your card again, then pay.',
    next: 'register',
  },
  other_account: {
    title: 'Your bank does not answer for this account number',
    text: 'It is not the account you agreed for. Nothing was debited. Register your card again with the number of that account.',
    next: 'register',
  },
  account_unusable: {
    title: 'Your bank says this account cannot be used',
    text: 'It is closed, blocked, or not open to online checks. Nothing was debited. Ask your bank, or pay on delivery.',
    next: 'none',
  },
  our_fault: {
    title: 'Something went wrong on our side',
    text: 'Nothing was debited. Please try again in a few minutes, or pay on delivery. If it goes on, tell our support when it happened.',
    next: 'try_again',
  },
  form_too_old: {
    title: 'This page was open for too long',
    text: 'Nothing was changed. Please do it again from the page you see now.',
    next: 'none',
  },
} as const satisfies Record<string, Said>

/** The words of a notice. */
export function said(notice: Notice): Said {
  return NOTICES[notice]
}

/** The notices of single causes; their kinds' are below. */
const BY_CODE: Readonly<Record<string, Notice>> = {
  'request.iban': 'iban',
  'consent.pending_expired': 'too_late',
  'consent.state_mismatch': 'not_this_browser',
  'consent.access_denied': 'refused',
  'consent.refused_by_bank': 'our_fault',
  'consent.code_refused': 'not_completed',
  'consent.issuer_mismatch': 'not_completed',
  'consent.duplicated_parameter': 'not_completed',
  'consent.callback_without_answer': 'not_completed',
  'bank.account_unknown': 'other_account',
  'bank.access_not_granted': 'other_account',
  'bank.account_closed': 'account_unusable',
  'bank.account_blocked': 'account_unusable',
  'bank.no_eligible_account': 'account_unusable',
  'bank.psu_unknown': 'account_unusable',
  'bank.wrong_role': 'consent_over',
}

/** The kinds of error that mean: the bank said neither yes nor no, and may well do so a little later. */
const NO_ANSWER: ReadonlySet<string> = new Set(['timeout', 'network', 'bank_unavailable', 'rate_limited'])

/** Whether the bank gave no answer at all; **that is not a "no"**. */
export function isNoAnswer(error: unknown): boolean {
  return error instanceof CbpiiError && NO_ANSWER.has(error.kind)
}

/** What to tell the shopper whose registration failed. */
export function noticeOfRegistration(error: unknown): Notice {
  if (!(error instanceof CbpiiError)) {
    return 'our_fault'
  }
  return BY_CODE[error.code] ?? (isNoAnswer(error) ? 'bank_away' : 'our_fault')
}

/** What to tell the shopper whose payment could not be checked. */
export function noticeOfPayment(error: unknown): Notice {
  if (!(error instanceof CbpiiError)) {
    return 'our_fault'
  }
  const byKind = error.kind === 'consent_required' ? 'consent_over' : isNoAnswer(error) ? 'no_answer' : 'our_fault'
  return BY_CODE[error.code] ?? byKind
}
