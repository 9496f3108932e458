package io.github.cbpii.example

import io.github.cbpii.*
import java.math.BigDecimal

// The code of ../README.md, line by line, so that it is compiled: `core/tests/book` compares. What is Android's own has a
// stand-in, which does as little as the lines need.

/** The app, on the phone. */
internal class PhoneExample(
    private val encryptedPreferences: SharedPreferences,
    private val server: IssuersServer,
    private val startActivity: (Intent) -> Unit,
    private val show: (String) -> Unit,
    private val log: (String) -> Unit,
) {
    fun begin() {
        // Whom to ask: from the IBAN the cardholder typed, or by name.
        val bank = Bank.fromIban(Iban("FR76 1751 5900 0008 0035 8074 006")).first()
        val issuer = Issuer("PSDFR-ACPR-12345", "https://issuer.example/psd2/callback")

        // 1. Send the cardholder to the bank: its app opens, if it is installed, otherwise the browser.
        val pending = PendingConsent.begin(bank, issuer)
        encryptedPreferences.edit { putString("pending", pending.toJson()) }
        startActivity(Intent(Intent.ACTION_VIEW, Uri.parse(pending.url)))
    }

    fun opened(intent: Intent) {
        // 2. In the activity of the app link: read the answer. A forged, repeated or late one is refused.
        val pending = PendingConsent.fromJson(encryptedPreferences.getString("pending", null)!!)
        try {
            val code = pending.complete(intent.dataString!!)
            server.exchange(pending.toJson(), code.expose())      // over TLS, to the issuer's server, within minutes
        } catch (refused: CbpiiException.ConsentRefused) {
            show("You did not agree. Your card works as before.")
        } catch (again: CbpiiException) {
            show("Please try again."); log(again.code)            // codes and messages hold no secret
        }
    }
}

/** A check, where the keys are. */
internal class CheckExample(private val client: Client, private val tokens: Tokens, private val iban: String) {
    suspend fun fundsFor(amount: BigDecimal): Boolean {
        val request = FundsRequest("ORDER-4711", Account(Iban(iban)), Amount(amount, "EUR"))
        return client.confirmFunds(tokens, request).available
    }
}

/** Where the app sends what came of the consent. */
internal fun interface IssuersServer {
    fun exchange(pending: String, code: String)
}

/** Stands in for Android's. */
internal class SharedPreferences(private val texts: MutableMap<String, String> = mutableMapOf()) {
    fun edit(change: SharedPreferences.() -> Unit) = change()

    fun putString(name: String, text: String) = texts.set(name, text)

    fun getString(name: String, otherwise: String?): String? = texts[name] ?: otherwise
}

/** Stands in for Android's. */
internal class Intent(val action: String, data: Uri) {
    val dataString: String? = data.text

    companion object {
        const val ACTION_VIEW = "android.intent.action.VIEW"
    }
}

/** Stands in for Android's. */
internal class Uri private constructor(val text: String) {
    companion object {
        fun parse(text: String) = Uri(text)
    }
}
