#if os(Linux)
  import Foundation
  import TestPhones
  import Testing

  extension OneByOne {
    /// What is done again and again takes up no more in the end than at first, each in a process of its own. What takes
    /// minutes is done in full with `LANGSO_LONG=1`, and a tenth of it without.
    @Suite struct MemoryTests {
      let share = ProcessInfo.processInfo.environment["LANGSO_LONG"] == "1" ? 1 : 10

      @Test func tenThousandOpensAndCloses() async throws {
        try await withFolder { folder in
          try staysAsItIs("opens", folder.path, "\(10_000 / share)")
        }
      }

      /// A loop a minute for a week, that is left before the next.
      @Test func aWeekOfListeners() async throws {
        let hub = try Hub()
        try await withFolder { folder in
          try staysAsItIs("listens", folder.path, "\(7 * 24 * 60)", hub.invite("Chíu Sám Múi"))
        }
      }

      @Test func aListOfTenThousandHouseholdsScrolled() async throws {
        let hub = try Hub()
        try await withFolder { folder in
          try staysAsItIs("scrolls", folder.path, "3", "\(10_000 / share)", hub.invite("Chíu Sám Múi"))
        }
      }

      /// 512 kB are 52 bytes for each of 10,000 rounds, and 17 for each row of 30,000: no object is as small, with what
      /// the allocator puts before it. In a tenth of it that is half a kilobyte: what a call has, and far less than a
      /// phone or a page. One thread or file more a round is some hundred.
      private func staysAsItIs(_ arguments: String...) throws {
        let told = try Child.lines(arguments).map { line in line.split(separator: " ").compactMap { Int($0) } }
        try #require(told.count == 2 && told.allSatisfy { $0.count == 3 })
        let (first, last) = (told[0], told[1])
        #expect(last[0] - first[0] < 512, "kB")
        // Those that rest between calls come and go.
        #expect(last[1] - first[1] < 8, "threads")
        #expect(last[2] <= first[2], "files")
      }
    }
  }
#endif
