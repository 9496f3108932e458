package io.github.cbpii

import org.junit.jupiter.api.Test
import java.io.File
import java.util.jar.JarFile
import kotlin.test.assertEquals
import kotlin.test.assertTrue

/** What is tested is the jar. */
class PackagingTest {
    @Test
    fun `the code and the native library come from the jar`() {
        val jar = File(Bank::class.java.protectionDomain.codeSource.location.toURI())
        assertTrue(jar.name.endsWith(".jar"), jar.path)
        val libraries = JarFile(jar).use { file -> file.entries().asSequence().map { it.name }.filter { it.endsWith(".so") }.toList() }
        assertEquals(listOf("${com.sun.jna.Platform.RESOURCE_PREFIX}/libcbpii_mobile.so"), libraries)
        // JNA unpacks it from there: nothing else names a folder to load it from.
        assertEquals(null, System.getProperty("jna.library.path"))
        assertEquals("bpce-17515", Bank.bpce("17515").id)
    }
}
