package vn.langso

import java.io.IOException
import java.net.InetAddress
import java.net.ServerSocket
import java.net.Socket
import java.util.concurrent.Semaphore
import kotlin.concurrent.thread

/** What lies between a phone and its hub: passes everything on, or stops at a moment that a test chooses. */
class Wire(private val hub: Hub) : AutoCloseable {
    enum class Stop {
        /** Half of what a phone sends has gone on, and nothing more does. */
        IN_REQUEST,

        /** The hub has answered, and nothing of it goes on. */
        BEFORE_REPLY
    }

    private val server = ServerSocket(0, 50, InetAddress.getLoopbackAddress())
    private val ends = mutableListOf<Socket>()
    private val stopped = Semaphore(0)

    @Volatile
    private var stop: Stop? = null

    /** Where phones reach the hub through this. */
    val url = "http://127.0.0.1:${server.localPort}"

    init {
        thread(isDaemon = true) {
            try {
                while (true) connect(server.accept())
            } catch (_: IOException) {
                // The test is over.
            }
        }
    }

    /** From now on; none = everything passes again. */
    fun stopAt(moment: Stop?) {
        stop = moment
    }

    /** Until something has been stopped since this was last asked. */
    fun awaitStop() = stopped.acquire()

    private fun connect(phone: Socket) {
        val there = Socket(InetAddress.getLoopbackAddress(), hub.url.substringAfterLast(':').toInt())
        synchronized(ends) { ends += listOf(phone, there) }
        pass(phone, there, Stop.IN_REQUEST) { it / 2 }
        pass(there, phone, Stop.BEFORE_REPLY) { 0 }
    }

    private fun pass(from: Socket, to: Socket, moment: Stop, share: (Int) -> Int) = thread(isDaemon = true) {
        try {
            val bytes = ByteArray(64 * 1024)
            while (true) {
                val count = from.getInputStream().read(bytes)
                if (count < 0) break
                if (stop == moment) {
                    to.getOutputStream().write(bytes, 0, share(count))
                    stopped.release()
                    return@thread
                }
                to.getOutputStream().write(bytes, 0, count)
            }
            to.shutdownOutput()
        } catch (_: IOException) {
            // One end was killed: the other shall know.
            from.close()
            to.close()
        }
    }

    override fun close() {
        server.close()
        synchronized(ends) { ends.forEach { it.close() } }
    }
}
