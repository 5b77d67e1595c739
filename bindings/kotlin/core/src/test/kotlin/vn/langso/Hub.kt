package vn.langso

import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.TimeUnit

/** A hub as a process of its own, with one team; killed at the end. */
class Hub : AutoCloseable {
    private val folder: Path = Files.createTempDirectory("langso-hub")
    private var serving: Process
    val url: String

    init {
        admin("init")
        val where = arrayOf("--unit", "06838", "--hamlet", "Thôn Ngàn Chi:104")
        admin("team", "add", "--name", TEAM, "--kind", "hamlet", "--founded", "2024-01-01", *where)
        serving = serve("127.0.0.1:0")
        // A test that is given up does not come to close it.
        Runtime.getRuntime().addShutdownHook(Thread { serving.destroyForcibly() })
        val line = serving.inputReader().readLine()
        url = requireNotNull(Regex("\"address\":\"([^\"]+)\"").find(line)) { "no address in $line" }.groupValues[1]
    }

    /** An invitation of a new member. */
    fun invite(name: String, role: String = "member", url: String = this.url): String {
        admin("member", "add", "--team", TEAM, "--name", name, "--role", role, "--from", "2024-01-01")
        return admin("code", "--team", TEAM, "--member", name, "--url", url, "--plain").trim()
    }

    fun admin(vararg arguments: String): String = langso("admin", "--at", folder.toString(), *arguments)

    /** The hub is gone, as by a power cut. */
    fun kill() {
        serving.destroyForcibly().waitFor()
    }

    /** And comes back at the same address. */
    fun start() {
        serving = serve(url.removePrefix("http://"))
        serving.inputReader().readLine()
    }

    private fun serve(listen: String): Process =
        ProcessBuilder(PROGRAM, "serve", "--json", "--log", "error", "--data", folder.toString(), "--listen", listen)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start()

    override fun close() {
        kill()
        folder.toFile().deleteRecursively()
    }

    companion object {
        const val TEAM = "Tổ thôn Ngàn Chi"
        val PROGRAM: String = System.getProperty("langso.program")

        fun langso(vararg arguments: String): String {
            val process = ProcessBuilder(PROGRAM, *arguments).redirectErrorStream(true).start()
            val text = process.inputReader().readText()
            check(process.waitFor(1, TimeUnit.MINUTES) && process.exitValue() == 0) {
                "langso ${arguments.toList()}: $text"
            }
            return text
        }
    }
}
