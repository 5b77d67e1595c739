package vn.langso

import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import vn.langso.core.FindVisits
import vn.langso.core.VisitId

/** An app that is killed, as the system does it, has lost nothing. */
class KilledTest {
    @Test
    fun `killed while it saves, everything acknowledged is there`() = runBlocking<Unit> {
        Hub().use { hub ->
            Folder().use { folder ->
                LangsoPhone.open(folder.toString()).use { it.join(hub, "Chíu Sám Múi") }
                val acknowledged = mutableSetOf<VisitId>()
                repeat(5) { round ->
                    // The next save is under way when the last line is read.
                    Child.start("log", folder.toString()).use { child ->
                        repeat(3 + round) { acknowledged += VisitId(child.line().removePrefix("saved ")) }
                    }
                }
                LangsoPhone.open(folder.toString()).use { phone ->
                    assertTrue(phone.allVisits().containsAll(acknowledged))
                    assertTrue(phone.phone.getState().unsent >= acknowledged.size.toUInt())
                    assertEquals(0uL, phone.syncAll().waiting)
                    assertTrue(phone.allVisits().containsAll(acknowledged))
                }
            }
        }
    }

    @Test
    fun `killed while it sends, the work arrives later`() = killedWhileSyncing(Wire.Stop.IN_REQUEST)

    @Test
    fun `killed before it hears that its work has arrived, nothing is there twice`() =
        killedWhileSyncing(Wire.Stop.BEFORE_REPLY)

    private fun killedWhileSyncing(moment: Wire.Stop) = runBlocking<Unit> {
        Hub().use { hub ->
            Wire(hub).use { wire ->
                Folder().use { folder ->
                    val saved =
                        LangsoPhone.open(folder.toString()).use { phone ->
                            phone.join(hub, "Chíu Sám Múi", url = wire.url)
                            (1..20).map { phone.log() }.toSet()
                        }
                    repeat(3) {
                        wire.stopAt(moment)
                        Child.start("sync", folder.toString()).use { wire.awaitStop() }
                    }
                    wire.stopAt(null)
                    Child.start("sync", folder.toString()).use { assertEquals(listOf("waiting 0"), it.lines()) }
                    withPhone { other, _ ->
                        other.join(hub, "Hoàng Thị Đượm")
                        assertEquals(saved, other.allVisits())
                        assertEquals(saved.size, other.visits.listVisits(FindVisits()).visits.size)
                    }
                }
            }
        }
    }
}
