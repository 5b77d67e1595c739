package vn.langso

import vn.langso.core.ContentRef
import vn.langso.core.GivenConsent
import vn.langso.core.HamletId
import vn.langso.core.HouseholdId
import vn.langso.core.InviteText
import vn.langso.core.NewHousehold
import vn.langso.core.NewService
import vn.langso.core.NewVisit
import vn.langso.core.SyncNow
import vn.langso.core.VisitId
import java.nio.file.Files
import java.nio.file.Path

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

suspend fun LangsoPhone.join(
    hub: Hub,
    name: String,
    role: String = "member",
) {
    enrolment.joinTeam(InviteText(hub.invite(name, role), "Pixel"))
    syncAll()
}

suspend fun LangsoPhone.syncAll() = sync.syncNow(SyncNow())

suspend fun LangsoPhone.hamlet(): HamletId = units.listHamlets().hamlets.first().hamlet

suspend fun LangsoPhone.household(
    label: String,
    hint: String? = null,
): HouseholdId {
    val script = consents.getScript(vn.langso.core.GetScript())
    val consent = GivenConsent(text = script.text, way = 1u)
    return households.createHousehold(NewHousehold(label = label, hint = hint, hamlet = hamlet(), consent = consent)).household
}

fun visit(
    household: HouseholdId? = null,
    hamlet: HamletId? = null,
    note: String? = null,
    token: String? = null,
) = NewVisit(
    household = household,
    hamlet = hamlet,
    note = note,
    token = token,
    services = listOf(NewService(service = "vneid_level2", outcome = 1u)),
)

suspend fun LangsoPhone.log(note: String? = null): VisitId = visits.logVisit(visit(hamlet = hamlet(), note = note)).visit
