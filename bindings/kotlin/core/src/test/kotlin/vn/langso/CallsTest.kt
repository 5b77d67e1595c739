package vn.langso

import java.util.concurrent.CountDownLatch
import java.util.concurrent.Executor
import java.util.concurrent.Executors
import kotlin.concurrent.thread
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Deferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.supervisorScope
import kotlinx.coroutines.withContext
import kotlinx.coroutines.yield
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import vn.langso.core.AppException
import vn.langso.core.InviteText
import vn.langso.core.SyncReport

/** Where calls run, how they are stopped, and what closing does to them. */
class CallsTest {
    @Test
    fun `a call leaves its thread free while the core works, and is answered there`() = runBlocking<Unit> {
        val gate = CountDownLatch(1)
        val core = Executor { call -> thread { gate.await().also { call.run() } } }.asCoroutineDispatcher()
        Folder().use { folder ->
            Executors.newSingleThreadExecutor { Thread(it, "screen") }.asCoroutineDispatcher().use { screen ->
                withContext(screen) {
                    val opening = async { LangsoPhone.open(folder.toString(), core) }
                    val other = async { "the screen goes on" }
                    assertEquals("the screen goes on", other.await())
                    assertFalse(opening.isCompleted)
                    gate.countDown()
                    opening.await().use {
                        it.phone.getState()
                        assertTrue(Thread.currentThread().name.startsWith("screen"))
                    }
                }
            }
        }
    }

    @Test
    fun `calls are done in the order in which they were made`() = runBlocking<Unit> {
        withMember { _, phone ->
            val form = visit(hamlet = phone.hamlet())
            val saved = coroutineScope { (1..40).map { async { phone.visits.logVisit(form).visit } }.awaitAll() }
            assertEquals(saved.reversed(), phone.allVisits().toList())
        }
    }

    @Test
    fun `a save goes through while a sync waits for a silent hub`() = runBlocking<Unit> {
        withSilentHub {
            phone.log()
            assertEquals(2, phone.allVisits().size)
            assertEquals("locked sync_running", refusal { phone.syncAll() })
            sync.cancel()
        }
    }

    @Test
    fun `a cancelled sync ends at once and the next one ends well`() = runBlocking<Unit> {
        withSilentHub {
            sync.cancel(CancellationException("a call came"))
            sync.join()
            wire.stopAt(null)
            val report = phone.syncAll()
            assertEquals(true to 0uL, report.isDone to report.waiting)
        }
    }

    @Test
    fun `a cancelled joining ends at once and the invitation still holds`() = runBlocking<Unit> {
        Hub().use { hub ->
            Wire(hub).use { wire ->
                withPhone { phone, _ ->
                    val invite = InviteText(hub.invite("Chíu Sám Múi", url = wire.url))
                    wire.stopAt(Wire.Stop.BEFORE_REPLY)
                    val joining = launch(Dispatchers.Default) { phone.enrolment.joinTeam(invite) }
                    withContext(Dispatchers.IO) { wire.awaitStop() }
                    joining.cancelAndJoin()
                    assertNull(phone.phone.getState().owner)
                    wire.stopAt(null)
                    assertEquals(phone.enrolment.joinTeam(invite).member, phone.phone.getState().owner?.member)
                }
            }
        }
    }

    @Test
    fun `a save that has begun is done though nobody waits for it any more`() = runBlocking<Unit> {
        withMember { _, phone ->
            val form = visit(hamlet = phone.hamlet())
            val listens = CompletableDeferred<Unit>()
            val saved = CountDownLatch(1)
            launch(Dispatchers.Default) {
                phone.changes.first { it.book.also { listens.complete(Unit) } }
                saved.countDown()
            }
            listens.await()
            val save = async { phone.visits.logVisit(form) }
            yield()
            // Holds this thread, to which the answer is to be given.
            saved.await()
            save.cancelAndJoin()
            assertTrue(save.isCancelled)
            assertEquals(1, phone.allVisits().size)
        }
    }

    @Test
    fun `closing stops a sync that waits and frees the folder`() = runBlocking<Unit> {
        withSilentHub {
            phone.close()
            assertEquals("offline stopped", refusal { sync.await() })
            wire.stopAt(null)
            LangsoPhone.open(folder.toString()).use { assertEquals(0uL, it.syncAll().waiting) }
        }
    }

    @Test
    fun `of calls that run while it is closed each is done or refused`() = runBlocking<Unit>(Dispatchers.Default) {
        Hub().use { hub ->
            Folder().use { folder ->
                val phone = LangsoPhone.open(folder.toString())
                phone.join(hub, "Chíu Sám Múi")
                val form = visit(hamlet = phone.hamlet())
                val first = CompletableDeferred<Unit>()
                val calls =
                    (1..50).map {
                        async {
                            try {
                                phone.visits.logVisit(form).visit.also { first.complete(Unit) }
                            } catch (error: AppException) {
                                null.also { assertEquals("locked closed", told(error)) }
                            }
                        }
                    }
                first.await()
                phone.close()
                val saved = calls.awaitAll().filterNotNull().toSet()
                LangsoPhone.open(folder.toString()).use { assertEquals(saved, it.allVisits()) }
            }
        }
    }

    @Test
    fun `after close every call says so, twice is as once, and the folder is free`() = runBlocking<Unit> {
        withPhone { phone, folder ->
            phone.close()
            phone.close()
            assertEquals("locked closed", refusal { phone.phone.getState() })
            assertEquals("locked closed", refusal { phone.syncAll() })
            LangsoPhone.open(folder.toString()).use { it.phone.getState() }
        }
    }

    @Test
    fun `a phone that is dropped without close lets go of its folder`() = runBlocking<Unit> {
        Folder().use { folder ->
            LangsoPhone.open(folder.toString()).phone.getState()
            eventually {
                System.gc()
                try {
                    LangsoPhone.open(folder.toString()).use { true }
                } catch (_: AppException.Locked) {
                    false
                }
            }
        }
    }

    @Test
    fun `a phone whose opening was cancelled holds no folder`() = runBlocking<Unit> {
        val opened = CountDownLatch(1)
        val core = Executor { call -> thread { call.run().also { opened.countDown() } } }.asCoroutineDispatcher()
        Folder().use { folder ->
            val opening = launch { LangsoPhone.open(folder.toString(), core) }
            yield()
            // Holds this thread, to which the phone is to be given.
            opened.await()
            opening.cancelAndJoin()
            LangsoPhone.open(folder.toString()).use { it.phone.getState() }
        }
    }
}

/** A sync that waits for a hub's answer, which does not come. */
private class Waiting(val wire: Wire, val phone: LangsoPhone, val folder: Folder, val sync: Deferred<SyncReport>)

private suspend fun withSilentHub(test: suspend Waiting.() -> Unit) = Hub().use { hub ->
    Wire(hub).use { wire ->
        withPhone { phone, folder ->
            phone.join(hub, "Chíu Sám Múi", url = wire.url)
            phone.log()
            wire.stopAt(Wire.Stop.BEFORE_REPLY)
            supervisorScope {
                val sync = async(Dispatchers.Default) { phone.syncAll() }
                withContext(Dispatchers.IO) { wire.awaitStop() }
                Waiting(wire, phone, folder, sync).test()
            }
        }
    }
}
