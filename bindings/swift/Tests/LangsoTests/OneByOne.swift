import Testing

/// The tests on real phones, one after the other: a process that one of them starts has, for a moment, every lock that
/// another one's phone holds.
@Suite(.serialized) enum OneByOne {}
