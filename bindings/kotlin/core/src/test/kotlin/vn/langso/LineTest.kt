package vn.langso

import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import vn.langso.core.Asked
import vn.langso.core.CorrectVisit
import vn.langso.core.EditText
import vn.langso.core.FieldValue
import vn.langso.core.FindConflicts
import vn.langso.core.FindLines
import vn.langso.core.OfHousehold
import vn.langso.core.OfVisit
import vn.langso.core.Rung
import vn.langso.core.SettleConflict
import vn.langso.core.UpdateHousehold
import vn.langso.core.VisitId

/** The whole line: enrol, log without a hub, sync, receipts, conflicts, figures. */
class LineTest {
    @Test
    fun `a visit logged while the hub is gone arrives later and its receipt climbs to the top`() = runBlocking<Unit> {
        withMember { hub, phone ->
            hub.kill()
            val saved = phone.log()
            assertEquals(Rung.ON_PHONE, phone.rung(saved))
            hub.start()
            val report = phone.syncAll()
            assertEquals(true to 0uL, report.isDone to report.waiting)
            assertEquals(Rung.AT_HUB, phone.rung(saved))
            Folder().use { backups ->
                hub.admin("backup", backups.toString())
                phone.syncAll()
                assertEquals(Rung.IN_BACKUP, phone.rung(saved))
            }
        }
    }

    @Test
    fun `a visit of one phone shows on the other and a figure opens down to it`() = runBlocking<Unit> {
        Hub().use { hub ->
            withPhone { one, _ ->
                withPhone { two, _ ->
                    one.join(hub, "Chíu Sám Múi")
                    two.join(hub, "Hoàng Thị Đượm", "lead")
                    val visit = one.log()
                    one.syncAll()
                    two.syncAll()
                    val asked = Asked(period = one.phone.getState().today.text.take(4) + "-Y")
                    val figures = two.figures.listFigures(asked).activity
                    val row = figures.first { it.lines > 0uL }
                    val lines = two.figures.listFigureLines(FindLines(row.indicator, asked)).lines
                    assertEquals(setOf<VisitId?>(visit), lines.map { it.visit }.toSet())
                    val opened = two.visits.getVisit(OfVisit(visit))
                    assertEquals("vneid_level2", opened.services.single().service?.text?.substringBefore('@'))
                }
            }
        }
    }

    @Test
    fun `two hints of one household are a conflict and the lead settles it with one change`() = runBlocking<Unit> {
        Hub().use { hub ->
            withPhone { one, _ ->
                withPhone { lead, _ ->
                    one.join(hub, "Chíu Sám Múi")
                    lead.join(hub, "Hoàng Thị Đượm", "lead")
                    val household = one.household("Hộ 12", "cạnh nhà văn hóa")
                    one.syncAll()
                    lead.syncAll()
                    one.households.updateHousehold(UpdateHousehold(household, hint = EditText.Set("cạnh trường")))
                    lead.households.updateHousehold(UpdateHousehold(household, hint = EditText.Set("đầu dốc")))
                    one.syncAll()
                    lead.syncAll()
                    val conflict = lead.conflicts.listConflicts(FindConflicts()).conflicts.single()
                    assertEquals(2, conflict.versions.size)
                    val kept = conflict.versions.first { it.value == FieldValue.Text("cạnh trường") }
                    lead.conflicts.settleConflict(
                        SettleConflict(
                            conflict.key,
                            kept.value,
                            conflict.versions.map {
                                it.version
                            }
                        )
                    )
                    lead.syncAll()
                    one.syncAll()
                    assertTrue(one.conflicts.listConflicts(FindConflicts()).conflicts.isEmpty())
                    assertEquals("cạnh trường", one.households.getHousehold(OfHousehold(household)).hint)
                }
            }
        }
    }

    @Test
    fun `a correction sets, clears and leaves alone`() = runBlocking<Unit> {
        Hub().use { hub ->
            withPhone { phone, _ ->
                phone.join(hub, "Chíu Sám Múi")
                val visit = phone.log("đã hẹn")
                phone.visits.correctVisit(CorrectVisit(visit, reason = 1u))
                assertEquals("đã hẹn", phone.visits.getVisit(OfVisit(visit)).note)
                phone.visits.correctVisit(CorrectVisit(visit, reason = 1u, note = EditText.Set("đã xong")))
                assertEquals("đã xong", phone.visits.getVisit(OfVisit(visit)).note)
                phone.visits.correctVisit(CorrectVisit(visit, reason = 1u, note = EditText.Clear))
                val held = phone.visits.getVisit(OfVisit(visit))
                assertNull(held.note)
                assertFalse(held.isStruckOut)
            }
        }
    }
}

private suspend fun Langso.rung(visit: VisitId) = visits.getVisit(OfVisit(visit)).receipt.rung
