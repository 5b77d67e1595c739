package vn.langso

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test

/** The compiled package offers what the core lists, no more and no less. */
class SurfaceTest {
    @Test
    fun `every call of the core is a call of the package and the other way round`() {
        val ofCore = Hub.langso("phone", "call", "--list").lines().filter { it.isNotBlank() }.map { camel(it) }
        val ofPackage = Features::class.java.methods.flatMap { feature ->
            val name = feature.name.removePrefix("get").replaceFirstChar { it.lowercase() }
            feature.returnType.methods.map { "$name.${it.name}" }
        }
        assertEquals(ofCore.sorted().joinToString("\n"), ofPackage.sorted().joinToString("\n"))
    }

    @Test
    fun `beside the features a phone has what changes and close`() {
        val own = Langso::class.java.methods.map { it.name } - Features::class.java.methods.map { it.name }.toSet()
        assertEquals(listOf("close", "getChanges"), own.sorted())
    }

    /** `follow_ups.list_due` as `followUps.listDue`. */
    private fun camel(name: String) = Regex("_(.)").replace(name) { it.groupValues[1].uppercase() }
}
