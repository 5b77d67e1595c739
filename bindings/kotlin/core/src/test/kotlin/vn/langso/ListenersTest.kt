package vn.langso

import java.util.concurrent.Executors
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.channels.ReceiveChannel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.collectIndexed
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import vn.langso.core.Changed

/** What a listener may rely on. */
class ListenersTest {
    @Test
    fun `it is told once it listens, and then of a save and of a sync`() = runBlocking<Unit>(Dispatchers.Default) {
        withMember { _, phone ->
            phone.listening { told ->
                assertEquals(NOTHING_NAMED, told.receive())
                phone.log()
                assertEquals(NOTHING_NAMED.copy(book = true), told.receive())
                phone.syncAll()
                val ended = told.awaitFirst { it.sync?.isRunning == false }
                assertTrue(ended.receipts)
                assertEquals(0u, phone.phone.getState().unsent)
            }
        }
    }

    @Test
    fun `a burst of saves is told a few times, and its last save too`() = runBlocking<Unit>(Dispatchers.Default) {
        withMember { _, phone ->
            var tellings = 0
            val sawAll =
                async {
                    phone.changes
                        .map { phone.phone.getState().unsent }
                        .first { unsent -> (unsent == 100u).also { tellings += 1 } }
                }
            repeat(100) { phone.log() }
            sawAll.await()
            assertTrue(tellings < 100, "$tellings tellings of 100 saves")
        }
    }

    @Test
    fun `one that is slow gets all that happened meanwhile as one`() = runBlocking<Unit>(Dispatchers.Default) {
        withMember { _, phone ->
            val busy = CompletableDeferred<Unit>()
            val slow = Channel<Changed>(Channel.UNLIMITED)
            val listening =
                launch {
                    phone.changes.collectIndexed { number, changed ->
                        slow.send(changed)
                        if (number == 0) busy.await()
                    }
                }
            slow.receive()
            phone.listening { quick ->
                quick.receive()
                phone.syncAll()
                quick.awaitFirst { it.sync?.isRunning == false }
                // Told last, and says nothing of the sync.
                phone.log()
                assertEquals(NOTHING_NAMED.copy(book = true), quick.receive())
                busy.complete(Unit)
                val all = slow.receive()
                assertEquals(listOf(false, true, true), listOf(all.sync?.isRunning, all.book, all.receipts))
                phone.log()
                assertEquals(NOTHING_NAMED.copy(book = true), slow.receive())
            }
            listening.cancelAndJoin()
        }
    }

    @Test
    fun `it is told where it collects, and may ask there`() = runBlocking<Unit> {
        withMember { _, phone ->
            Executors.newSingleThreadExecutor { Thread(it, "screen") }.asCoroutineDispatcher().use { screen ->
                val threads = mutableListOf<String>()
                val listening =
                    async(screen) {
                        phone.changes
                            .map { phone.phone.getState().unsent }
                            .first { unsent -> (unsent == 2u).also { threads += Thread.currentThread().name } }
                    }
                repeat(2) { phone.log() }
                listening.await()
                assertTrue(threads.all { it.startsWith("screen") }, "$threads")
            }
        }
    }

    @Test
    fun `it ends when the phone is closed, and a late one at once`() = runBlocking<Unit>(Dispatchers.Default) {
        withPhone { phone, _ ->
            val begun = CompletableDeferred<Unit>()
            val all = async { phone.changes.map { it.also { begun.complete(Unit) } }.toList() }
            begun.await()
            phone.close()
            assertEquals(listOf(NOTHING_NAMED), all.await())
            assertEquals(emptyList<Changed>(), phone.changes.toList())
        }
    }

    @Test
    fun `the core lets go of one that leaves early`() = runBlocking<Unit> {
        withPhone { phone, _ ->
            repeat(3) { phone.changes.first() }
            assertEquals(0, Held.listeners())
            eventually { Held.threads("langso-news") == 0 }
        }
    }
}

private val NOTHING_NAMED = Changed(sync = null, receipts = false, book = false, shelf = false)

/** Runs a test with all that is told. */
private suspend fun Langso.listening(test: suspend (ReceiveChannel<Changed>) -> Unit) = coroutineScope {
    val told = Channel<Changed>(Channel.UNLIMITED)
    val listening = launch { changes.collect { told.send(it) } }
    test(told)
    listening.cancelAndJoin()
}

private suspend fun ReceiveChannel<Changed>.awaitFirst(isIt: (Changed) -> Boolean): Changed {
    while (true) receive().let { if (isIt(it)) return it }
}
