#if os(Linux)
  import Foundation
  import TestPhones
  import Testing

  extension OneByOne {
    /// What the compiled package offers, as the compiler tells it, against what the core lists.
    @Suite struct SurfaceTests {
      @Test func thePackageOffersEveryCallOfTheCoreAndNoOther() throws {
        let (core, symbols) = (try core(), try symbols(of: "Langso"))
        let features = Set(symbols.filter { $0.pathComponents.first == "Features" }.compactMap(\.member))
        let calls = symbols.filter { $0.kind.identifier == "swift.method" }.compactMap { symbol -> String? in
          guard let of = symbol.pathComponents.first, of.hasSuffix("Feature"), let name = symbol.member else {
            return nil
          }
          return "\(of.dropLast("Feature".count).lowerFirst).\(name)"
        }
        #expect(Set(calls) == core && core.count > 100)
        #expect(features == Set(core.map { String($0.prefix { $0 != "." }) }))
      }

      @Test func theFakeAnswersEveryCallOfTheCoreAndNoOther() throws {
        let core = try core()
        let answers = try symbols(of: "LangsoFake").compactMap { symbol -> String? in
          guard symbol.kind.identifier == "swift.property", let of = symbol.pathComponents.first, of != "FakeLangso",
            let name = symbol.member, name.hasPrefix("on")
          else { return nil }
          return "\(of.dropFirst("Fake".count).lowerFirst).\(name.dropFirst(2).lowerFirst)"
        }
        #expect(Set(answers) == core)
      }

      @Test func everythingThePackageOffersSaysWhatItIs() throws {
        // A phone's own are those of its protocols.
        let silent = try symbols(of: "Langso").filter {
          $0.docComment == nil && $0.pathComponents.first != "LangsoPhone"
        }
        #expect(silent.map(\.pathComponents) == [])
      }

      /// `visits.logVisit` for `visits.log_visit`.
      private func core() throws -> Set<String> {
        let names = try output(of: ["phone", "call", "--list"]).split(separator: "\n")
        return Set(
          names.map { name in
            name.split(separator: ".").map { part in
              let words = part.split(separator: "_")
              return words.dropFirst().reduce(String(words[0])) { $0 + $1.prefix(1).uppercased() + $1.dropFirst() }
            }.joined(separator: ".")
          })
      }

      private func symbols(of module: String) throws -> [Symbol] {
        let built = Bundle.main.bundleURL.resolvingSymlinksInPath()
        let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
          "../../Sources")
        let out = try emptyFolder()
        defer { try? FileManager.default.removeItem(at: out) }
        let maps = ["LangsoRecordsFFI", "LangsoCallsFFI"].flatMap { module in
          ["-Xcc", "-fmodule-map-file=\(sources.appendingPathComponent(module).path)/module.modulemap"]
        }
        let extract = Process()
        extract.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        extract.arguments =
          [
            "swift", "symbolgraph-extract", "-module-name", module, "-I", built.appendingPathComponent("Modules").path,
            "-target", built.deletingLastPathComponent().lastPathComponent, "-minimum-access-level", "public",
            "-output-dir", out.path,
          ] + maps
        try extract.run()
        extract.waitUntilExit()
        guard extract.terminationStatus == 0 else { throw Failed("no symbols of \(module)") }
        let graph = try Data(contentsOf: out.appendingPathComponent("\(module).symbols.json"))
        return try JSONDecoder().decode(Graph.self, from: graph).symbols
      }
    }
  }

  private struct Graph: Decodable { let symbols: [Symbol] }

  private struct Symbol: Decodable {
    let pathComponents: [String]
    let kind: Kind
    let docComment: Doc?

    struct Kind: Decodable { let identifier: String }
    struct Doc: Decodable {}

    /// `logVisit` of `["VisitsFeature", "logVisit(_:)"]`; none of a type.
    var member: String? { pathComponents.count == 2 ? String(pathComponents[1].prefix { $0 != "(" }) : nil }
  }

  extension StringProtocol {
    fileprivate var lowerFirst: String { prefix(1).lowercased() + dropFirst() }
  }
#endif
