package io.github.cbpii

import org.junit.jupiter.api.Test
import java.io.File
import kotlin.test.assertEquals
import kotlin.test.assertTrue

private val DECLARATION = Regex("""^\s*(?:(?:public|sealed|open|final|abstract|inline|suspend|override|data|enum|companion|fun(?= interface)|const|lateinit)\s+)*(?:class|interface|object|fun|val|var|constructor|typealias)\b.*""")

/** Everything that is public says so, and what it means. */
class DocumentationTest {
    private val files = File("src/main/kotlin").walk().filter { it.extension == "kt" }.toList()

    @Test
    fun `everything public is documented`() {
        assertTrue(files.size > 5)
        val missing = files.flatMap { file ->
            val lines = file.readLines()
            lines.withIndex().filter { (place, line) -> line.isPublic() && !lines.isDocumented(place) }
                .map { (place, line) -> "${file.name}:${place + 1}: ${line.trim()}" }
        }
        assertEquals(emptyList(), missing)
    }

    private fun String.isPublic() = trimStart().startsWith("public ")

    private fun List<String>.isDocumented(place: Int): Boolean {
        val above = subList(0, place).map { it.trim() }.dropLastWhile { it.startsWith("@") }
        return above.last().endsWith("*/")
    }

    @Test
    fun `everything states whether it is public`() {
        val unstated = files.flatMap { file ->
            file.readLines().withIndex()
                // Local declarations stand deeper than members do.
                .filter { (_, line) -> line.takeWhile { it == ' ' }.length <= 4 && DECLARATION.matches(line) }
                .filter { (_, line) -> !line.isPublic() && "override " !in line }
                .map { (place, line) -> "${file.name}:${place + 1}: ${line.trim()}" }
        }
        assertEquals(emptyList(), unstated)
    }

    @Test
    fun `the README names every kind of error`() {
        val readme = File("../README.md").readText()
        assertEquals(emptyList(), ErrorKind.entries.map { CbpiiException.catalogue.first { entry -> entry.kind == it } }
            .map { CbpiiException.of(it.code, "A sentence.").javaClass.simpleName }.filter { "`$it`" !in readme })
    }
}
