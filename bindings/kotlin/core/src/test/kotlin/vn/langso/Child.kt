package vn.langso

import java.util.concurrent.TimeUnit

/** The package in a process of its own, which does a deed (Deeds.kt) and says lines; a test may kill it. */
class Child private constructor(private val process: Process) : AutoCloseable {
    private val said = process.inputReader()

    /** Its next line. */
    fun line(): String = checkNotNull(said.readLine()) { "the child has ended" }

    /** Its lines until it ends by itself. */
    fun lines(): List<String> = said.readLines().also {
        check(process.waitFor(1, TimeUnit.MINUTES) && process.exitValue() == 0) { "the child failed after $it" }
    }

    /** As the system does it, by SIGKILL. */
    override fun close() {
        process.destroyForcibly().waitFor()
    }

    companion object {
        /**
         * @param inside the start of a command that runs it; see [Mount]
         * @param heapMb what its objects may take up; taken at once and looked after plainly, so that what a process holds
         *   does not depend on when the JVM tidies up
         */
        fun start(
            deed: String,
            vararg arguments: String,
            inside: List<String> = emptyList(),
            heapMb: Int? = null
        ): Child {
            val heap = heapMb?.let {
                listOf("-Xms${it}m", "-Xmx${it}m", "-XX:+AlwaysPreTouch", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
            }
            val java = listOf(
                System.getProperty("java.home") + "/bin/java",
                "-Djna.library.path=" + System.getProperty("jna.library.path"),
                "-cp",
                System.getProperty("java.class.path")
            )
            val command = inside + java + heap.orEmpty() + "vn.langso.DeedsKt" + deed + arguments
            val process = ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT)
            // Else the C library keeps a pool for each thread.
            if (heapMb != null) process.environment()["MALLOC_ARENA_MAX"] = "1"
            return Child(process.start())
        }
    }
}

/** Mounts that only a child sees and that end with it. */
object Mount {
    /** A disk of so many MB in the place of a folder. */
    fun disk(folder: Folder, megabytes: Int) = inside(folder, "mount -t tmpfs -o size=${megabytes}m tmpfs \"$0\"")

    /** A folder that not even root can write. */
    fun readOnly(folder: Folder) = inside(folder, "mount --bind \"$0\" \"$0\" && mount -o remount,bind,ro \"$0\"")

    private fun inside(folder: Folder, script: String): List<String> {
        val asRoot = if (System.getProperty("user.name") == "root") emptyList() else listOf("--user", "--map-root-user")
        return listOf("unshare", "--mount") + asRoot + listOf("sh", "-euc", "$script && exec \"$@\"", folder.toString())
    }
}
