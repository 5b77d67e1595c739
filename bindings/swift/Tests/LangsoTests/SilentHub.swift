import Foundation
import TestPhones

/// Stands where the hub was: takes what a phone says, passes it on to the hub if it knows of one, and never answers.
final class SilentHub: Sendable {
  private let listening: Int32
  private let told: AsyncStream<Void>
  private let tell: AsyncStream<Void>.Continuation

  init(port: UInt16, passOnTo hub: UInt16? = nil) throws {
    (told, tell) = AsyncStream.makeStream()
    listening = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var yes: Int32 = 1
    setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    let isBound = address(port) { bind(listening, $0, $1) == 0 && listen(listening, 16) == 0 }
    guard isBound else { throw Failed("port \(port): \(String(cString: strerror(errno)))") }
    Thread.detachNewThread { [listening, tell] in
      while true {
        let phone = accept(listening, nil, nil)
        guard phone >= 0 else { return }
        if let hub { Self.passOn(from: phone, to: hub, tell) } else { tell.yield() }
      }
    }
  }

  deinit {
    // Ends the thread; what a phone has open ends with this process, or when the phone lets go of it.
    shutdown(listening, Int32(SHUT_RDWR))
    Foundation.close(listening)
  }

  /// Until a phone has called; or until the hub behind has begun to answer it, all that it said being there.
  func heard() async { for await _ in told { return } }

  private static func passOn(from phone: Int32, to port: UInt16, _ tell: AsyncStream<Void>.Continuation) {
    let hub = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    _ = address(port) { connect(hub, $0, $1) }
    Thread.detachNewThread {
      var bytes = [UInt8](repeating: 0, count: 65_536)
      while case let count = read(phone, &bytes, bytes.count), count > 0 { _ = write(hub, bytes, count) }
      Foundation.close(phone)
      Foundation.close(hub)
    }
    Thread.detachNewThread {
      var byte: UInt8 = 0
      if read(hub, &byte, 1) == 1 { tell.yield() }
    }
  }
}

private func address<T>(_ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> T) -> T {
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_port = port.bigEndian
  address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
  return withUnsafePointer(to: &address) {
    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
  }
}
