package vn.langso

import java.time.LocalDate
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Test
import vn.langso.core.Day
import vn.langso.core.FindHouseholds
import vn.langso.core.HouseholdId
import vn.langso.core.ListHouseholds
import vn.langso.core.OfHousehold
import vn.langso.core.OfVisit

/** What goes in comes out. */
class ValuesTest {
    @Test
    fun `Vietnamese, joined emoji, 4 KiB, empty and missing text comes back as it went, on another phone too`() =
        runBlocking<Unit> {
            withMember { hub, phone ->
                val texts =
                    listOf("Nguyễn Trần Vĩnh Thụy Phương Uyên", "H’Mai Êban 👩🏽‍🌾 👨‍👩‍👧‍👦", FOUR_KIB, null)
                val saved = texts.associateBy { phone.log(it) }
                val empty = phone.log("")
                phone.syncAll()
                withPhone { other, _ ->
                    other.join(hub, "Hoàng Thị Đượm")
                    for (of in listOf(phone, other)) {
                        for ((visit, text) in saved) assertEquals(text, of.visits.getVisit(OfVisit(visit)).note)
                        assertNull(of.visits.getVisit(OfVisit(empty)).note)
                    }
                }
            }
        }

    @Test
    fun `a Vietnamese label is found without its marks`() = runBlocking<Unit> {
        withMember { _, phone ->
            val household = phone.household("Hộ Đặng 12", "đầu dốc, cạnh nhà văn hóa")
            val line = phone.households.listHouseholds(ListHouseholds()).households.single()
            assertEquals(household to "Hộ Đặng 12", line.household to line.label)
            val hits = phone.households.findHouseholds(FindHouseholds("dang 12")).households
            assertEquals(listOf(household), hits.map { it.line.household })
        }
    }

    @Test
    fun `a hundred calls at once are a hundred saves`() = runBlocking<Unit>(Dispatchers.Default) {
        withMember { _, phone ->
            val hamlet = phone.hamlet()
            val saved = (1..100).map { async { phone.visits.logVisit(visit(hamlet = hamlet)).visit } }.awaitAll()
            assertEquals(saved.toSet(), phone.allVisits())
            assertEquals(100, saved.toSet().size)
            assertEquals(100u, phone.phone.getState().unsent)
        }
    }

    @Test
    fun `a save asked for again with the same token is the first one`() = runBlocking<Unit> {
        withMember { _, phone ->
            val form = visit(hamlet = phone.hamlet(), token = "d1")
            assertEquals(phone.visits.logVisit(form), phone.visits.logVisit(form))
            assertEquals(1, phone.allVisits().size)
        }
    }

    @Test
    fun `text that is no id is refused and nothing is done`() = runBlocking<Unit> {
        withMember { _, phone ->
            val none = OfHousehold(HouseholdId("Hộ 12"))
            assertEquals("invalid household wrong_type", refusal { phone.households.getHousehold(none) })
        }
    }

    @Test
    fun `a day is the calendar's, in order and in words`() {
        val day = Day(LocalDate.of(2026, 2, 9))
        assertEquals("2026-02-09", day.toString())
        assertEquals(day.date.plusDays(1), Day("2026-02-10").date)
        assertEquals(listOf(Day("2025-12-31"), day), listOf(day, Day("2025-12-31")).sorted())
    }
}

/** A letter of three bytes. */
private val FOUR_KIB = "ề".repeat(1_365) + "!"
