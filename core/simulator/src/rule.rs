//! Rules of the design that a run can leave out, to show that the simulator would see a program without them.
//!
//! Never set in a run that is to prove anything else. Where a rule stands in `core/sync` or `core/store`, the phone or
//! the hub of the run undoes or passes over it from outside: what people carry has no switch.

macro_rules! rules {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $protects:literal;)*) => {
        /// A rule that this run breaks on purpose.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Rule {
            $($(#[$doc])* $variant,)*
        }

        impl Rule {
            /// Every rule.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// How leaving it out is called.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// What it protects.
            pub fn protects(self) -> &'static str {
                match self {
                    $(Self::$variant => $protects,)*
                }
            }
        }
    };
}

rules! {
    /// A phone restored from an older copy goes on with the writer it had.
    NewWriterAfterRestart = "writer-survives-restore",
        "a restored or cloned phone never gives a number twice";
    /// After a failed commit the same writer gives the same number again.
    NewWriterAfterFailure = "writer-survives-failed-commit",
        "a commit that failed and is there all the same shares its number with nothing";
    /// A patch names only the value that showed, not every head that its author saw.
    BaseNamesEveryHead = "base-names-shown-only",
        "settling a conflict settles it, and the author's edit is the only head";
    /// A change counts as received once its request has gone out.
    ReceiptsFromTheHub = "sent-is-received",
        "what a cut request carried is sent again";
    /// The cursor is kept before the frame it stands for.
    CursorWithItsFrame = "cursor-before-frame",
        "a process killed between the two misses nothing";
    /// A replica forgets which changes it has taken in.
    AppliedMemory = "applied-memory-left-out",
        "a change heard again, or a version named before it comes, makes no head of old";
    /// A phone takes over any stamp it hears, however far ahead.
    AdoptOneDayAhead = "remote-stamp-without-bound",
        "one clock a year ahead poisons nobody else's";
    /// A patch is stamped by the own clock alone.
    StampAboveSeen = "no-row-bump",
        "an edit beats what its author saw, whatever the clocks say";
    /// A change is stamped by the wall clock.
    HybridClock = "wall-clock",
        "a clock set back lets no older value win";
    /// A patch that comes before its create says when the row was made.
    EarlyPatchHides = "early-patch-stamps-row",
        "a create that comes after its patch still brings its values";
    /// Of each writer only the highest number is remembered.
    GapsRemembered = "contiguous-only",
        "a change that comes after a later one of its writer is taken in";
    /// Rows and outbox are written in two transactions.
    OutboxWithItsRows = "outbox-apart-from-rows",
        "what is on the phone is on its way to the hub";
    /// A database is opened without a look into its journal.
    JournalHeldAgainstDatabase = "journal-not-heard",
        "an older database with a newer journal has lost nothing";
    /// The hub throws away what its author was not allowed to write.
    SetAsideIsADelay = "set-aside-is-thrown-away",
        "honest work out of one's role waits for the lead and is lost to nobody";
    /// The hub serves every scope to whoever asks.
    TrainerSeesNoTeam = "every-scope-served",
        "nothing out of scope is delivered";
    /// The hub goes on from whatever position a phone names.
    ChainKnown = "chain-ignored",
        "a phone sees that its hub has another history";
    /// A position that the hub gave counts for ever.
    ReceiptsBecomeVoid = "receipt-never-voided",
        "what a hub has lost is sent again";
    /// What others wrote stays where it is when the hub has lost it.
    PulledOfferedAgain = "pulled-not-offered-again",
        "what a hub has lost comes back from whoever fetched it";
    /// A phone forgets what the hub has, whether a backup has it or not.
    PruneNeedsBackup = "prune-at-receipt",
        "a hub that loses its disk gets everything back from phones";
    /// A phone forgets at the end of any reply what a backup has, read up to there or not.
    PruneBelowOwnCursor = "prune-above-cursor",
        "a receipt above the cursor, which no chain has proven, makes nobody forget";
    /// A phone forgets what a backup has at once.
    PruneAfterAWeek = "prune-without-a-week",
        "a hub set back to a copy older than its newest backup gets what it lost";
    /// A phone forgets at the end of any reply, also of one that says that its cursor is not known.
    PruneWhenDone = "prune-before-fall-back",
        "a hub set back behind its own backup gets what it lost";
    /// A phone drops a scope that the hub says it does not know.
    LeftIsSaid = "scope-dropped-unsaid",
        "a hub set back to before a phone had a scope takes nothing from it";
    /// The hub goes on serving a scope to whoever has left it.
    LeftIsNotServed = "left-scope-served",
        "who has left a team hears nothing more of its households";
    /// A phone that hears that it has left a scope forgets what it had to say there.
    LeftKeepsUnsent = "left-drops-unsent",
        "work that was not sent before its author left a team reaches the team all the same";
    /// A phone drops a scope that it has left as soon as the hub has every change of its own there.
    LeftWaitsForBackup = "left-scope-dropped-at-receipt",
        "what somebody wrote in a team before leaving it survives a hub that loses it once more";
    /// A scope that is mended by a snapshot keeps only what the snapshot has.
    RepairKeepsUnsent = "repair-drops-unsent",
        "damage that is found and mended takes no work along";
    /// A receipt that the cursor had not passed goes on counting when a snapshot takes the cursor past it.
    SnapshotShows = "receipt-unchecked-by-snapshot",
        "what a hub has lost is sent again by a phone that skips over it";
    /// Who was handed a teammate's changes keeps them to himself.
    ReceiverForwards = "receiver-does-not-forward",
        "work handed over reaches the hub although its author's phone is gone";
    /// The hub numbers changes when they come and shows them when they are committed.
    CounterInItsTransaction = "sequence-for-counter",
        "commit order is position order, so that no cursor passes what is still to come";
}

impl Rule {
    /// From the name of leaving it out.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|rule| rule.name() == name)
    }
}

impl serde::Serialize for Rule {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.name())
    }
}
