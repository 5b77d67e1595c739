package vn.langso

import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/**
 * What an app does for weeks makes it hold no more: a process of its own does it, and the second half of the rounds is held
 * against the first, in which everything is loaded and compiled.
 *
 * The bounds, 3 MB of memory and 1 MB of objects, are for 5,000 rounds 600 bytes of the core and 200 of the JVM a round.
 * What could be left behind is larger: SQLite's connection and the HTTP client of a phone, its features. Of threads,
 * files and listeners one a round is far too many.
 */
class MemoryTest {
    @Test
    fun `a phone opened and closed 10,000 times holds no more`() = withBook { assertNoGrowth("open", rounds = 10_000) }

    @Test
    fun `a listener a minute for a week leaves nothing behind`() = withBook {
        assertNoGrowth("listen", rounds = 10_080, boundMb = 4)
    }

    /** Some 400 pages in the second half, each of some 20 KB. */
    @Test
    fun `10,000 households scrolled through and through hold no more`() = withBook {
        run("write", rounds = 10_000)
        assertNoGrowth("scroll", rounds = 8)
    }

    private fun withBook(test: Folder.() -> Unit) = runBlocking {
        Hub().use { hub ->
            Folder().use { folder ->
                LangsoPhone.open(folder.toString()).use { it.join(hub, "Chíu Sám Múi") }
                folder.test()
            }
        }
    }

    private fun Folder.run(what: String, rounds: Int): List<Held> =
        Child.start("long", toString(), what, "$rounds", heapMb = 32).use { child -> child.lines().map { Held.of(it) } }

    private fun Folder.assertNoGrowth(what: String, rounds: Int, boundMb: Int = 3) {
        val (half, end) = run(what, rounds)
        assertEquals(half.files to 0, end.files to end.listeners)
        // The JVM's own come and go.
        assertTrue(end.threads <= half.threads + 4, "$half, then $end")
        assertTrue(end.residentKb - half.residentKb < boundMb * 1024, "$half, then $end")
        assertTrue(end.heapKb - half.heapKb < 1024, "$half, then $end")
    }
}
