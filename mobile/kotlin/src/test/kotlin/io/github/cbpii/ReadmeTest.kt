package io.github.cbpii

import io.github.cbpii.example.CheckExample
import io.github.cbpii.example.Intent
import io.github.cbpii.example.PhoneExample
import io.github.cbpii.example.SharedPreferences
import io.github.cbpii.example.Uri
import io.github.cbpii.support.CLAIRE
import io.github.cbpii.support.Sandbox
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Test
import java.io.File
import java.math.BigDecimal
import kotlin.test.assertEquals
import kotlin.test.assertFalse
import kotlin.test.assertTrue

/** The code of the README works, and the library's errors are those of the catalogue in the manual. */
class ReadmeTest {
    private val said = mutableListOf<String>()
    private var opened = ""
    private val app = PhoneExample(
        SharedPreferences(),
        { pending, code -> said += "exchange $code of ${PendingConsent.fromJson(pending).bankId}" },
        { opened = it.dataString!! },
        { said += it },
        { said += it },
    )

    private fun comeBack(answer: String) = app.opened(Intent(Intent.ACTION_VIEW, Uri.parse("https://issuer.example/psd2/callback?$answer")))

    @Test
    fun `the app to app example`() {
        app.begin()
        assertTrue(opened.startsWith("https://www.17515.") && "client_id=PSDFR-ACPR-12345" in opened, opened)
        val state = opened.substringAfter("state=")
        comeBack("code=abc&state=$state")
        comeBack("error=access_denied&state=$state")
        comeBack("code=abc&state=forged")
        assertEquals(
            listOf(
                "exchange abc of bpce-17515",
                "You did not agree. Your card works as before.",
                "Please try again.",
                "consent.state_mismatch",
            ),
            said,
        )
    }

    @Test
    fun `the example of a check`() = runBlocking {
        Sandbox.shared.reset()
        val example = CheckExample(Sandbox.shared.client(), Sandbox.shared.tokens(), CLAIRE)
        assertTrue(example.fundsFor(BigDecimal("458.99")))
        assertFalse(example.fundsFor(BigDecimal("459")))
    }

    @Test
    fun `the errors are those of the manual`() {
        val page = File("../../core/src/manual/error_catalogue.md").readText()
        val row = Regex("""^\| `(.+?)`<br>(\d+) `(.+?)` \| (.+?) \| .+ \|$""", RegexOption.MULTILINE)
        assertEquals(
            row.findAll(page).map { it.groupValues.drop(1) }.toList(),
            CbpiiException.catalogue.map { listOf(it.code, "${it.number}", it.advice.name.lowercase(), it.summary) },
        )
    }
}
