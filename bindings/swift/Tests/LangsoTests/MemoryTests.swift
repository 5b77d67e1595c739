#if os(Linux)
  import Foundation
  import TestPhones
  import Testing

  extension OneByOne {
    /// What is done again and again takes up no more in the end than at first, each in a process of its own.
    @Suite struct MemoryTests {
      @Test func tenThousandOpensAndCloses() async throws {
        try await withFolder { folder in
          try staysAsItIs("opens", folder.path, "10000")
        }
      }

      @Test func aWeekOfListeners() async throws {
        let hub = try Hub()
        try await withFolder { folder in
          try staysAsItIs("listens", folder.path, "\(7 * 24 * 60)", hub.invite("Chíu Sám Múi"))
        }
      }

      @Test func aListOfTenThousandHouseholdsScrolled() async throws {
        let hub = try Hub()
        try await withFolder { folder in
          try staysAsItIs("scrolls", folder.path, "3", "10000", hub.invite("Chíu Sám Múi"))
        }
      }

      /// 256 kB in use are 26 bytes for each of 10,000 rounds, and less than 9 for each row of 30,000: the smallest
      /// object takes 32. Some 70 kB are the book's, as it grows. 4 MB of pages are ten stacks of threads, and one thread
      /// or file more a round is some thousand.
      private func staysAsItIs(_ arguments: String...) throws {
        let told = try Child.lines(arguments).map { line in line.split(separator: " ").compactMap { Int($0) } }
        try #require(told.count == 2 && told.allSatisfy { $0.count == 4 })
        let grown = zip(told[0], told[1]).map { $1 - $0 }
        #expect(grown[0] < 256 * 1024, "bytes in use")
        #expect(grown[1] < 4 * 1024, "kB of pages")
        #expect(grown[2] < 8, "threads: those that rest between calls come and go")
        #expect(grown[3] <= 0, "files")
      }
    }
  }
#endif
