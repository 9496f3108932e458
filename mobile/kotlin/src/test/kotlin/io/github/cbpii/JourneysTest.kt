package io.github.cbpii

import com.fasterxml.jackson.databind.JsonNode
import com.fasterxml.jackson.databind.node.ObjectNode
import io.github.cbpii.support.Facts
import io.github.cbpii.support.Sandbox
import io.github.cbpii.support.Scene
import io.github.cbpii.support.Unsayable
import io.github.cbpii.support.VECTORS
import io.github.cbpii.support.asFacts
import io.github.cbpii.support.asJson
import io.github.cbpii.support.differences
import io.github.cbpii.support.json
import io.github.cbpii.support.known
import io.github.cbpii.support.tell
import io.github.cbpii.support.text
import io.github.cbpii.support.unsayable
import io.github.cbpii.support.withTexts
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.io.TempDir
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.MethodSource
import java.nio.file.Path
import kotlin.test.assertEquals

private const val SUITE = "journeys"
private val FOLDER = VECTORS.resolve(SUITE)
private val DEFAULTS = json.readTree(FOLDER.resolve("defaults.json")) as ObjectNode

/** What may be random, in the order in which it is named. */
private val RANDOM = listOf("access_token", "refresh_token", "code", "request_id", "correlation_id")

/** The journeys of tests/vectors; the end of its README says how they are read. */
class JourneysTest {
    @ParameterizedTest
    @MethodSource("journeys")
    fun journey(name: String, @TempDir folder: Path) {
        val text = FOLDER.resolve("$name.json").readText()
        val members = DEFAULTS.fieldNames().asSequence().toList() + listOf("sandbox", "steps")
        val journey = laidOver(json.readTree(text) as ObjectNode).apply { known(*members.toTypedArray()) }
        val bank = journey["sandbox"]?.let(::bankOf) ?: Sandbox.shared
        try {
            val scene = Scene(journey, bank, folder.toString())
            val failures = walk(name, scene, journey["steps"].toList(), Names(text, folder.toString()))
            assertEquals(emptyList(), failures)
            assertEquals(false, name in unsayable(SUITE))
        } catch (what: Unsayable) {
            tell(SUITE, name, "unsayable", what.reason)
            assertEquals(true, name in unsayable(SUITE), what.reason)
        } finally {
            if (bank !== Sandbox.shared) bank.close()
        }
    }

    /** Goes through a journey, and says where it differs from what is expected. */
    private fun walk(name: String, scene: Scene, steps: List<JsonNode>, names: Names): List<String> {
        scene.open()
        val facts = steps.map { step ->
            val members = (step as ObjectNode).deepCopy().without<ObjectNode>(listOf("do", "expect"))
            names.give(runBlocking { outcome { scene.step(step.text("do"), scene.filled(members)) } }.asJson())
        }
        tell(SUITE, name, "facts", mapOf("steps" to facts))
        return steps.zip(facts).flatMapIndexed { place, (step, actual) ->
            val expected = step["expect"] ?: json.createObjectNode()
            differences(expected, actual).map { "step ${place + 1} (${step.text("do")}): $it" }
        }
    }

    private suspend fun outcome(step: suspend () -> Facts): Facts = try {
        step()
    } catch (failure: CbpiiException) {
        failure.asFacts()
    }

    /** The defaults with a journey's members over them: objects member by member, everything else as a whole. */
    private fun laidOver(own: ObjectNode): ObjectNode = DEFAULTS.deepCopy().apply {
        own.properties().forEach { (name, value) ->
            val base = get(name)
            if (base is ObjectNode && value is ObjectNode) base.setAll<ObjectNode>(value) else set<JsonNode>(name, value)
        }
    }

    /** A bank that starts as a journey wants it. */
    private fun bankOf(options: JsonNode): Sandbox {
        val given = options.known("bank", "stet", "settings").properties()
        return Sandbox(*given.map { (name, value) -> "--$name=${value.textValue() ?: value.toString()}" }.toTypedArray())
    }

    companion object {
        @JvmStatic
        fun journeys(): List<String> =
            FOLDER.list().orEmpty().filter { it.endsWith(".json") && it != "defaults.json" }.map { it.removeSuffix(".json") }.sorted()
    }
}

/** Gives names to what is random, so that a journey comes to the same facts everywhere. */
private class Names(private val journey: String, private val folder: String) {
    private val seen = mutableListOf<String>()

    fun give(facts: ObjectNode): JsonNode {
        RANDOM.forEach { fact -> facts[fact]?.textValue()?.let { facts.put(fact, name(it)) } }
        return facts.withTexts { text ->
            text.replace(folder, "{folder}").replace(Regex("""(localhost:|127\.0\.0\.1:)[0-9]+"""), "$1{port}")
        }
    }

    private fun name(text: String): String {
        if (text in journey) return text
        if (text !in seen) seen += text
        return "{${seen.indexOf(text) + 1}}"
    }
}
