// The programs' common part alone, without any call: what Node itself takes.
'use strict'

require('./works.cjs').main(() => ({ call: async () => {} }))
