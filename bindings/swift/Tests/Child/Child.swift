import Foundation
import Langso
import TestPhones

/// One deed on a phone, in a process of its own: `langso-child DEED FOLDER ...`. Says what has happened, a line each.
@main struct Child {
  static func main() async throws {
    let arguments = Array(CommandLine.arguments.dropFirst())
    let (deed, folder, rest) = (arguments[0], arguments[1], Array(arguments.dropFirst(2)))
    do {
      switch deed {
      case "state": try await state(folder)
      case "log": try await logForEver(folder)
      case "sync": try await sync(folder)
      #if os(Linux)
        case "full": try await fillTheDisk(folder, invite: rest[0])
        case "opens": try await openAndClose(folder, number(rest[0]))
        case "listens": try await listen(folder, number(rest[0]), invite: rest[1])
        case "scrolls": try await scroll(folder, number(rest[0]), households: number(rest[1]), invite: rest[2])
        case "read-only": try await lookOnly(folder)
      #endif
      default: throw Failed("no deed \(deed) \(rest)")
      }
    } catch let error as AppError {
      say("\(error)")
    }
  }
}

func number(_ text: String) -> Int { Int(text) ?? 0 }

func say(_ line: String) { FileHandle.standardOutput.write(Data("\(line)\n".utf8)) }

func state(_ folder: String) async throws {
  let phone = try await LangsoPhone.open(folder: folder)
  say("open, \(try await phone.phone.getState().unsent) unsent")
}

func logForEver(_ folder: String) async throws {
  let phone = try await LangsoPhone.open(folder: folder)
  while true { say("saved \(try await phone.log())") }
}

func sync(_ folder: String) async throws {
  let phone = try await LangsoPhone.open(folder: folder)
  say("begins")
  _ = try await phone.syncAll()
  say("ended")
}
