package vn.langso

import java.io.RandomAccessFile
import java.nio.file.Files
import java.nio.file.Path
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Test
import vn.langso.core.AppException
import vn.langso.core.FindVisits
import vn.langso.core.HouseholdId
import vn.langso.core.NewVisit
import vn.langso.core.OfHousehold

/** Each of the nine conditions as an app meets it. */
class ErrorsTest {
    @Test
    fun `offline when the hub is gone`() = runBlocking<Unit> {
        Hub().use { hub ->
            withPhone { phone, _ ->
                phone.join(hub, "Chíu Sám Múi")
                hub.kill()
                assertEquals("offline hub_unreachable", refusal { phone.syncAll() })
            }
        }
    }

    @Test
    fun `not allowed, not found and invalid input say what is wrong`() = runBlocking<Unit> {
        Hub().use { hub ->
            withPhone { phone, _ ->
                assertEquals("not allowed not_enrolled", refusal { phone.visits.logVisit(NewVisit()) })
                phone.join(hub, "Chíu Sám Múi")
                val nobody = OfHousehold(HouseholdId("0".repeat(20)))
                assertEquals("not found", refusal { phone.households.getHousehold(nobody) })
                assertEquals("invalid services missing", refusal { phone.visits.logVisit(NewVisit()) })
            }
        }
    }

    @Test
    fun `outdated when a newer app wrote the folder, which stays as it is`() = runBlocking<Unit> {
        Folder().use { folder ->
            LangsoPhone.open(folder.toString()).close()
            val database = folder.path.resolve("phone.db")
            val version = database.readVersion()
            database.writeVersion(version + 1)
            val before = Files.readAllBytes(database)
            assertEquals("outdated", refusal { LangsoPhone.open(folder.toString()) })
            assertArrayEquals(before, Files.readAllBytes(database))
            database.writeVersion(version)
            LangsoPhone.open(folder.toString()).use { it.phone.getState() }
        }
    }

    @Test
    fun `full when the disk is, with all that was acknowledged, and on when there is room`() = runBlocking<Unit> {
        Hub().use { hub ->
            Folder().use { folder ->
                val invite = hub.invite("Chíu Sám Múi")
                Child.start("fill", folder.toString(), invite, inside = Mount.disk(folder, megabytes = 12)).use {
                    assertEquals(
                        listOf("no room", "full after some: true", "kept: true", "kept with one more: true"),
                        it.lines()
                    )
                }
            }
        }
    }

    @Test
    fun `corrupt when damage comes again before a sync, and the next start has lost nothing`() = runBlocking<Unit> {
        Hub().use { hub ->
            Folder().use { folder ->
                val database = folder.path.resolve("phone.db")
                LangsoPhone.open(folder.toString()).use { phone ->
                    phone.join(hub, "Chíu Sám Múi")
                    repeat(3) { phone.log() }
                }
                database.overwrite(from = 0, until = 16)
                LangsoPhone.open(folder.toString()).use { phone ->
                    assertEquals(listOf("database"), phone.phone.getState().damage?.what)
                }
                LangsoPhone.open(folder.toString()).use { phone ->
                    // What a start has not read yet.
                    database.overwrite(from = PAGE, until = Files.size(database))
                    assertEquals("corrupt", refusal { phone.visits.listVisits(FindVisits()) })
                }
                LangsoPhone.open(folder.toString()).use { phone ->
                    assertEquals(3, phone.allVisits().size)
                    assertEquals(3u, phone.phone.getState().unsent)
                }
            }
        }
    }

    @Test
    fun `locked when another process has the folder open`() = runBlocking<Unit> {
        withPhone { _, folder ->
            Child.start("state", folder.toString()).use {
                assertEquals(listOf("locked open_elsewhere"), it.lines())
            }
            assertEquals("locked open_elsewhere", refusal { LangsoPhone.open(folder.toString()) })
        }
    }

    @Test
    fun `locked when a folder that cannot be written is to be written`() = runBlocking<Unit> {
        Hub().use { hub ->
            Folder().use { folder ->
                LangsoPhone.open(folder.toString()).use { it.join(hub, "Chíu Sám Múi") }
                for ((deed, said) in listOf("state" to "open true", "log" to "locked folder_read_only")) {
                    Child.start(deed, folder.toString(), inside = Mount.readOnly(folder)).use {
                        assertEquals(listOf(said), it.lines())
                    }
                }
            }
        }
    }

    @Test
    fun `unexpected when the folder is a file`() = runBlocking<Unit> {
        Folder().use { folder ->
            val file = Files.createFile(folder.path.resolve("book"))
            assertEquals("unexpected file: entity already exists", refusal { LangsoPhone.open(file.toString()) })
        }
    }
}

/** Of SQLite. */
private const val PAGE = 4096L

/** Where SQLite keeps the number that the app gives to its tables. */
private const val USER_VERSION = 60L

private fun Path.readVersion() = RandomAccessFile(toFile(), "r").use { it.apply { seek(USER_VERSION) }.readInt() }

private fun Path.writeVersion(version: Int) =
    RandomAccessFile(toFile(), "rw").use { it.apply { seek(USER_VERSION) }.writeInt(version) }

private fun Path.overwrite(from: Long, until: Long) =
    RandomAccessFile(toFile(), "rw").use { it.apply { seek(from) }.write(ByteArray((until - from).toInt())) }

/** What a call is refused with. */
inline fun refusal(crossinline call: suspend () -> Any?): String = told(thrown<AppException> { call() })

/** The error that a suspending call ends with. */
inline fun <reified E : Throwable> thrown(crossinline call: suspend () -> Any?): E =
    assertThrows(E::class.java) { runBlocking { call() } }

/** An error in a line; all nine, or this does not compile. */
fun told(error: AppException): String = when (error) {
    is AppException.Offline -> "offline ${error.why}"
    is AppException.NotFound -> "not found"
    is AppException.OutdatedApp -> "outdated"
    is AppException.StorageFull -> "full"
    is AppException.NotAllowed -> "not allowed ${error.why}"
    is AppException.InvalidInput -> "invalid ${error.field} ${error.code}"
    is AppException.Corrupt -> "corrupt"
    is AppException.Locked -> "locked ${error.why}"
    is AppException.Unexpected -> "unexpected ${error.reason}"
}
