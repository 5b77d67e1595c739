//! The open lists of the record as closed enums: a generator knows every word it writes. Numbers and codes
//! are those of `fixtures/codes/lists.json`; a test compares them.

use serde::{Deserialize, Serialize};

macro_rules! list {
    ($(#[$doc:meta])* $name:ident = $list:literal { $($(#[$item_doc:meta])* $item:ident = $number:literal $code:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$item_doc])* #[serde(rename = $code)] $item = $number,)+
        }

        impl $name {
            /// The list's name in the registry.
            pub const LIST: &str = $list;
            /// Every value that a campaign may use.
            pub const ALL: &[Self] = &[$(Self::$item,)+];

            /// As rows hold it.
            pub fn number(self) -> u8 {
                self as u8
            }

            /// As files hold it.
            pub fn code(self) -> &'static str {
                match self {
                    $(Self::$item => $code,)+
                }
            }
        }
    };
}

list! {
    /// What came of a service.
    Outcome = "outcomes" {
        /// Newly done.
        New = 1 "new",
        /// Had it before.
        Had = 2 "had",
        /// Not finished; the team comes again.
        Later = 3 "later",
        /// Did not work.
        Failed = 4 "failed",
        /// The citizen did not want it.
        Refused = 5 "refused",
        /// Another office must do it.
        Referred = 6 "referred",
    }
}

list! {
    /// Why an outcome is believed.
    Evidence = "evidence" {
        /// The citizen showed the screen.
        Shown = 1 "shown",
        /// The citizen's word.
        Told = 2 "told",
        /// A receipt.
        Paper = 3 "paper",
    }
}

list! {
    /// Where help was given.
    Place = "place_kinds" {
        /// At home.
        Home = 1 "home",
        /// In the hamlet's culture house.
        Hall = 2 "hall",
        /// At the market.
        Market = 3 "market",
        /// At the public service centre.
        Centre = 4 "centre",
        /// By telephone.
        Phone = 5 "phone",
    }
}

list! {
    /// Network at a place.
    Signal = "signals" {
        /// None.
        None = 1 "none",
        /// 2G or 3G.
        G2 = 2 "g2",
        /// 4G.
        G4 = 3 "g4",
        /// Wifi.
        Wifi = 4 "wifi",
    }
}

list! {
    /// Age by band of birth years.
    AgeBand = "age_bands" {
        /// Under 14.
        Under14 = 1 "u14",
        /// 14 to 17.
        From14 = 2 "b14",
        /// 18 to 34.
        From18 = 3 "b18",
        /// 35 to 59.
        From35 = 4 "b35",
        /// 60 and over.
        From60 = 5 "b60",
    }
}

list! {
    /// The phone a person has.
    PhoneKind = "phone_kinds" {
        /// None.
        None = 1 "none",
        /// A keypad phone.
        Feature = 2 "feature",
        /// A smartphone.
        Smart = 3 "smart",
    }
}

list! {
    /// An answer.
    YesNo = "yes_no_unknown" {
        /// Yes.
        Yes = 1 "yes",
        /// No.
        No = 2 "no",
        /// Not known.
        Unknown = 3 "unknown",
    }
}

list! {
    /// Sex.
    Sex = "sexes" {
        /// Female.
        Female = 1 "female",
        /// Male.
        Male = 2 "male",
    }
}

list! {
    /// Whether a household is on the poverty list.
    Poverty = "poverty" {
        /// Poor.
        Poor = 1 "poor",
        /// Near-poor.
        NearPoor = 2 "near_poor",
        /// Neither.
        NotPoor = 3 "not_poor",
    }
}

list! {
    /// How consent was given.
    ConsentWay = "consent_ways" {
        /// Spoken before a witness.
        Witness = 1 "witness",
        /// Ticked by the citizen.
        Tick = 2 "tick",
        /// Signed.
        Sign = 3 "sign",
    }
}

list! {
    /// The language of a hamlet or visit; those spoken where the campaign is.
    Language = "languages" {
        /// Vietnamese.
        Kinh = 1 "kinh",
        /// Tày.
        Tay = 2 "tay",
        /// Dao.
        Dao = 3 "dao",
        /// Sán Chỉ.
        SanChi = 4 "san_chi",
    }
}

list! {
    /// What a session was.
    SessionKind = "session_kinds" {
        /// A training conference.
        Training = 1 "training",
        /// A propaganda talk.
        Propaganda = 2 "propaganda",
        /// A class of digital skills.
        Class = 3 "class",
        /// A campaign day.
        Campaign = 4 "campaign",
        /// A club meeting.
        Club = 5 "club",
    }
}

list! {
    /// What was given.
    GrantItem = "grant_items" {
        /// A smartphone.
        Phone = 1 "phone",
        /// A 4G SIM.
        Sim4g = 2 "sim_4g",
    }
}

list! {
    /// What kind of group.
    GroupKind = "group_kinds" {
        /// A club.
        Club = 1 "club",
    }
}

list! {
    /// Half a day.
    HalfDay = "half_days" {
        /// Morning.
        Morning = 1 "morning",
        /// Afternoon.
        Afternoon = 2 "afternoon",
        /// Evening.
        Evening = 3 "evening",
    }
}

list! {
    /// Who a team is.
    TeamKind = "team_kinds" {
        /// A hamlet's team.
        Hamlet = 1 "hamlet",
        /// A youth team.
        Youth = 4 "youth",
        /// A union's.
        Union = 5 "union",
        /// An agency's.
        Agency = 6 "agency",
    }
}

list! {
    /// A member's role.
    Role = "roles" {
        /// Member.
        Member = 1 "member",
        /// Deputy lead.
        Deputy = 2 "deputy",
        /// Team lead.
        Lead = 3 "lead",
    }
}

/// A service, by its code in `fixtures/codes/services.json`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Service {
    /// VNeID level 2.
    #[serde(rename = "vneid_level2")]
    VneidLevel2,
    /// SIM from 2G to 4G.
    #[serde(rename = "sim_4g")]
    Sim4g,
    /// Guidance in using a smartphone.
    SmartphoneUse,
    /// Portal: first login.
    PortalFirstLogin,
    /// Portal: first filing.
    PortalFirstFiling,
    /// Portal: later filing.
    PortalLaterFiling,
    /// Personal digital signature.
    DigitalSignature,
    /// Electronic health book.
    HealthBook,
    /// Electronic health insurance card.
    InsuranceCard,
    /// Payment account, QR code.
    PaymentAccount,
    /// Seller account on a platform.
    EcommerceAccount,
    /// First sale on a platform.
    EcommerceFirstSale,
    /// Scam awareness.
    ScamAwareness,
}

impl Service {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::VneidLevel2,
        Self::Sim4g,
        Self::SmartphoneUse,
        Self::PortalFirstLogin,
        Self::PortalFirstFiling,
        Self::PortalLaterFiling,
        Self::DigitalSignature,
        Self::HealthBook,
        Self::InsuranceCard,
        Self::PaymentAccount,
        Self::EcommerceAccount,
        Self::EcommerceFirstSale,
        Self::ScamAwareness,
    ];

    /// The code without version.
    pub fn code(self) -> &'static str {
        match self {
            Self::VneidLevel2 => "vneid_level2",
            Self::Sim4g => "sim_4g",
            Self::SmartphoneUse => "smartphone_use",
            Self::PortalFirstLogin => "portal_first_login",
            Self::PortalFirstFiling => "portal_first_filing",
            Self::PortalLaterFiling => "portal_later_filing",
            Self::DigitalSignature => "digital_signature",
            Self::HealthBook => "health_book",
            Self::InsuranceCard => "insurance_card",
            Self::PaymentAccount => "payment_account",
            Self::EcommerceAccount => "ecommerce_account",
            Self::EcommerceFirstSale => "ecommerce_first_sale",
            Self::ScamAwareness => "scam_awareness",
        }
    }

    /// Its bit in a set of services.
    pub(super) fn bit(self) -> u16 {
        1 << self as u16
    }
}
