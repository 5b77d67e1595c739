package vn.langso.fake

import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.flow.onEach
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import vn.langso.Features
import vn.langso.Langso
import vn.langso.core.AppException
import vn.langso.core.Changed
import vn.langso.core.OfVisit
import vn.langso.core.SyncNow
import vn.langso.core.VisitId

/** A fake keeps to what a phone keeps to, as far as a screen sees it. */
class FakeTest {
    private val fake = FakeLangso()
    private val langso: Langso = fake

    @Test
    fun `it answers as it was told to, by what it was asked, and notes every call`() = runBlocking {
        fake.sync.onSyncNow = { throw AppException.Offline("${it.maxBytes}") }
        val told = assertThrows(AppException.Offline::class.java) { runBlocking { langso.sync.syncNow(SyncNow(9u)) } }
        assertEquals("9", told.why)
        fake.sync.onStopSync = {}
        langso.sync.stopSync()
        assertEquals(listOf("sync.syncNow" to SyncNow(9u), "sync.stopSync" to null), fake.calls)
    }

    @Test
    fun `a call without an answer fails and names itself`() {
        val visit = OfVisit(VisitId("0".repeat(20)))
        val told = assertThrows(IllegalStateException::class.java) { runBlocking { langso.visits.getVisit(visit) } }
        assertEquals("visits.getVisit was called and has no answer", told.message)
        // One that gives nothing, too.
        assertThrows(IllegalStateException::class.java) { runBlocking { langso.sync.stopSync() } }
        assertEquals(listOf("visits.getVisit" to visit, "sync.stopSync" to null), fake.calls)
    }

    @Test
    fun `what is said reaches all who listen, after the first telling, until it is closed`() =
        runBlocking(Dispatchers.Default) {
            val listening = List(2) { CompletableDeferred<Unit>() }
            val heard = listening.map { begun ->
                async { langso.changes.onEach { begun.complete(Unit) }.toList() }
            }
            listening.awaitAll()
            val shelf = Changed(sync = null, receipts = false, book = false, shelf = true)
            fake.say(shelf)
            fake.say()
            fake.close()
            for (tellings in heard.awaitAll()) {
                assertEquals(listOf(Changed(null, false, false, false), shelf), tellings.take(2))
                assertTrue(tellings.last().book && tellings.size == 3)
            }
            assertEquals(emptyList<Changed>(), langso.changes.toList())
        }

    @Test
    fun `once closed it refuses every call, as a phone does`() {
        fake.close()
        fake.close()
        assertTrue(fake.isClosed)
        val told = assertThrows(AppException.Locked::class.java) { runBlocking { langso.sync.stopSync() } }
        assertEquals("closed", told.why)
        assertEquals(emptyList<Any>(), fake.calls)
    }

    @Test
    fun `every call of every feature can be given an answer`() {
        for (feature in Features::class.java.methods) {
            val calls = feature.returnType.methods.map { "setOn" + it.name.replaceFirstChar(Char::uppercase) }
            val answers = feature.invoke(fake).javaClass.methods.map { it.name }.filter { it.startsWith("setOn") }
            assertEquals(calls.sorted(), answers.sorted())
        }
    }
}
