package vn.langso

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import vn.langso.core.AppException
import vn.langso.core.FindVisits
import vn.langso.core.HouseholdId
import vn.langso.core.NewVisit
import vn.langso.core.OfHousehold
import vn.langso.core.OfVisit
import java.net.ServerSocket
import java.util.concurrent.TimeUnit

/** What an app may rely on: threads, lifetime, errors, text. */
class ContractTest {
    @Test
    fun `Vietnamese, emoji, long, empty and missing text comes back as it went`() =
        runBlocking<Unit> {
            Hub().use { hub ->
                withPhone { phone, _ ->
                    phone.join(hub, "Chíu Sám Múi")
                    val texts = listOf("Nguyễn Trần Vĩnh Thụy Phương Uyên", "H’Mai Êban 👩🏽‍🌾", "ề".repeat(1_360), null)
                    for (text in texts) {
                        assertEquals(text, phone.visits.getVisit(OfVisit(phone.log(text))).note)
                    }
                    assertEquals(null, phone.visits.getVisit(OfVisit(phone.log(""))).note)
                }
            }
        }

    @Test
    fun `a hundred calls at once are a hundred saves`() =
        runBlocking<Unit>(Dispatchers.Default) {
            Hub().use { hub ->
                withPhone { phone, _ ->
                    phone.join(hub, "Chíu Sám Múi")
                    val hamlet = phone.hamlet()
                    val saved = (1..100).map { async { phone.visits.logVisit(visit(hamlet = hamlet)).visit } }.awaitAll()
                    assertEquals(100, saved.toSet().size)
                    assertEquals(100u, phone.phone.getState().unsent)
                }
            }
        }

    @Test
    fun `after close every call says so, twice is as once, and the folder is free`() =
        runBlocking<Unit> {
            Folder().use { folder ->
                val phone = LangsoPhone.open(folder.toString())
                phone.close()
                phone.close()
                val error = thrown<AppException.Locked> { phone.phone.getState() }
                assertEquals("closed", error.why)
                LangsoPhone.open(folder.toString()).use { it.phone.getState() }
            }
        }

    @Test
    fun `two processes never have one folder open`() =
        runBlocking<Unit> {
            withPhone { _, folder ->
                assertEquals("locked open_elsewhere", Child.run("state", folder.toString()))
                val error = thrown<AppException.Locked> { LangsoPhone.open(folder.toString()) }
                assertEquals("open_elsewhere", error.why)
            }
        }

    @Test
    fun `errors are of one sealed class and name their condition`() =
        runBlocking<Unit> {
            Hub().use { hub ->
                withPhone { phone, _ ->
                    assertEquals("not_enrolled", thrown<AppException.NotAllowed> { phone.visits.logVisit(NewVisit()) }.why)
                    phone.join(hub, "Chíu Sám Múi")
                    thrown<AppException.NotFound> { phone.households.getHousehold(OfHousehold(HouseholdId("0".repeat(20)))) }
                    val invalid = thrown<AppException.InvalidInput> { phone.visits.logVisit(NewVisit()) }
                    assertEquals("services" to "missing", invalid.field to invalid.code)
                    // Not an id at all: nothing is asked of the core.
                    val told: String =
                        when (thrown<AppException> { phone.households.getHousehold(OfHousehold(HouseholdId("Hộ 12"))) }) {
                            is AppException.Offline -> "offline"
                            is AppException.NotFound -> "not found"
                            is AppException.OutdatedApp -> "outdated"
                            is AppException.StorageFull -> "full"
                            is AppException.NotAllowed -> "not allowed"
                            is AppException.InvalidInput -> "invalid"
                            is AppException.Corrupt -> "corrupt"
                            is AppException.Locked -> "locked"
                            is AppException.Unexpected -> "unexpected"
                        }
                    assertEquals("unexpected", told)
                }
            }
        }

    @Test
    fun `a cancelled sync ends and the next one ends well`() =
        runBlocking<Unit> {
            Hub().use { hub ->
                withPhone { phone, _ ->
                    phone.join(hub, "Chíu Sám Múi")
                    phone.log()
                    hub.kill()
                    // Takes the connection and never answers.
                    ServerSocket(hub.url.substringAfterLast(':').toInt()).use { silent ->
                        val sync = launch(Dispatchers.Default) { phone.syncAll() }
                        silent.accept().use {
                            sync.cancel(CancellationException("a call came"))
                            withTimeout(TimeUnit.SECONDS.toMillis(10)) { sync.join() }
                        }
                    }
                    hub.start()
                    assertTrue(phone.syncAll().isDone)
                }
            }
        }

    @Test
    fun `a listener hears of a save and of a sync`() =
        runBlocking<Unit> {
            Hub().use { hub ->
                withPhone { phone, _ ->
                    phone.join(hub, "Chíu Sám Múi")
                    val book = async(Dispatchers.Default) { phone.changes.first { it.book } }
                    val sync = async(Dispatchers.Default) { phone.changes.first { it.sync?.isRunning == false } }
                    // A save for each try, until both listen.
                    while (!book.isCompleted) phone.log()
                    while (!sync.isCompleted) phone.syncAll()
                    assertTrue(book.await().book)
                    assertEquals(0uL, sync.await().sync?.waiting)
                }
            }
        }

    @Test
    fun `a process killed while it saves has lost nothing that it acknowledged`() =
        runBlocking<Unit> {
            Hub().use { hub ->
                Folder().use { folder ->
                    LangsoPhone.open(folder.toString()).use { it.join(hub, "Chíu Sám Múi") }
                    var acknowledged = 0
                    repeat(5) { round ->
                        acknowledged += Child.killedAfter(lines = 3 + round, "log", folder.toString())
                    }
                    LangsoPhone.open(folder.toString()).use { phone ->
                        assertTrue(phone.phone.getState().unsent >= acknowledged.toUInt())
                        val report = phone.syncAll()
                        assertEquals(0uL, report.waiting)
                        val page = phone.visits.listVisits(FindVisits())
                        assertTrue(page.visits.size >= acknowledged, "${page.visits.size} of $acknowledged")
                    }
                }
            }
        }

    @Test
    fun `a process killed while it syncs goes on where it was`() =
        runBlocking<Unit> {
            Hub().use { hub ->
                Folder().use { folder ->
                    LangsoPhone.open(folder.toString()).use { phone ->
                        phone.join(hub, "Chíu Sám Múi")
                        repeat(20) { phone.log() }
                    }
                    repeat(3) { Child.killedAfter(lines = 1, "sync", folder.toString()) }
                    LangsoPhone.open(folder.toString()).use { phone ->
                        assertEquals(0uL, phone.syncAll().waiting)
                        assertEquals(20, phone.visits.listVisits(FindVisits()).visits.size)
                    }
                }
            }
        }
}

/** The error that a suspending call ends with. */
inline fun <reified E : Throwable> thrown(crossinline call: suspend () -> Any?): E =
    assertThrows(E::class.java) { runBlocking { call() } }
