package vn.langso

import java.nio.file.Files
import java.nio.file.Path
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.yield
import vn.langso.core.FindVisits
import vn.langso.core.GetScript
import vn.langso.core.GivenConsent
import vn.langso.core.HamletId
import vn.langso.core.HouseholdId
import vn.langso.core.InviteText
import vn.langso.core.NewHousehold
import vn.langso.core.NewService
import vn.langso.core.NewVisit
import vn.langso.core.SyncNow
import vn.langso.core.VisitId

/** A folder that is gone after the test. */
class Folder : AutoCloseable {
    val path: Path = Files.createTempDirectory("langso-phone")

    override fun toString() = path.toString()

    override fun close() {
        path.toFile().deleteRecursively()
    }
}

/** Runs a test with an open phone in a folder of its own. */
suspend fun <T> withPhone(test: suspend (LangsoPhone, Folder) -> T): T =
    Folder().use { folder -> LangsoPhone.open(folder.toString()).use { test(it, folder) } }

/** Runs a test with an open phone of a member of a hub's team. */
suspend fun <T> withMember(test: suspend (Hub, LangsoPhone) -> T): T = Hub().use { hub ->
    withPhone { phone, _ ->
        phone.join(hub, "Chíu Sám Múi")
        test(hub, phone)
    }
}

suspend fun Langso.join(hub: Hub, name: String, role: String = "member", url: String = hub.url) {
    enrolment.joinTeam(InviteText(hub.invite(name, role, url), "Pixel"))
    syncAll()
}

suspend fun Langso.syncAll() = sync.syncNow(SyncNow())

suspend fun Langso.hamlet(): HamletId = units.listHamlets().hamlets.first().hamlet

suspend fun Langso.household(label: String, hint: String? = null): HouseholdId {
    val script = consents.getScript(GetScript())
    val consent = GivenConsent(text = script.text, way = 1u)
    return households.createHousehold(
        NewHousehold(label = label, hint = hint, hamlet = hamlet(), consent = consent)
    ).household
}

fun visit(household: HouseholdId? = null, hamlet: HamletId? = null, note: String? = null, token: String? = null) =
    NewVisit(
        household = household,
        hamlet = hamlet,
        note = note,
        token = token,
        services = listOf(NewService(service = "vneid_level2", outcome = 1u))
    )

suspend fun Langso.log(note: String? = null): VisitId = visits.logVisit(visit(hamlet = hamlet(), note = note)).visit

/** Page by page. */
suspend fun Langso.allVisits(): Set<VisitId> {
    val all = linkedSetOf<VisitId>()
    do {
        val page = visits.listVisits(FindVisits(skip = all.size.toUInt()))
        all += page.visits.map { it.visit }
    } while (page.hasMore)
    return all
}

/** Until it is so; what never comes fails the test. */
suspend fun eventually(isSo: suspend () -> Boolean) = withTimeout(60_000) { while (!isSo()) yield() }
