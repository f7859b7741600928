//! What can be mended before a refusal counts: the wrong region, host, style, clock, credentials
//! or checksum. Each mend is tried once or twice for a request, then the refusal stands.
//!
//! Pure: looks at the refusal and at what was sent, and says what to change.

use jiff::{SignedDuration, Timestamp};

use super::authority::Authority;
use super::refusal::Refusal;

/// Most redirects to another region or host that one try follows. AWS needs one; the second is
/// for a bucket that was just moved.
const REDIRECTS_MAX: u32 = 2;

/// A clock this far off is worth correcting. S3 refuses 15 minutes; half of it leaves room.
const SKEW_MIN: SignedDuration = SignedDuration::from_secs(450);

/// One thing to change before the request is sent again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mend {
    /// Sign for this region, and speak to its endpoint.
    Region(String),
    /// Speak to this host.
    Authority(Authority),
    /// Name the bucket in the host.
    VirtualHost,
    /// Sign with a clock that is this much ahead of ours.
    ClockOffset(SignedDuration),
    /// Get credentials anew.
    Credentials,
    /// Leave the checksum headers out.
    WithoutChecksum,
}

/// How a request was sent that was refused.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    /// Whether it was signed.
    pub(super) signed: bool,
    /// Region that it was signed for.
    pub(super) region: String,
    /// Whether the bucket stood in the path.
    pub(super) path_style: bool,
    /// Whether checksum headers went along to a store of which nobody knows whether it takes them.
    pub(super) unproven_checksum: bool,
    /// Whether credentials can be had anew.
    pub(super) refreshable: bool,
    /// Our clock, not corrected.
    pub(super) now: Timestamp,
    /// The correction it was signed with.
    pub(super) clock_offset: SignedDuration,
}

/// What was mended so far in one try.
#[derive(Debug, Default)]
pub(super) struct Mends {
    redirects: u32,
    virtual_host: bool,
    clock: bool,
    credentials: bool,
    pub(super) without_checksum: bool,
}

impl Mends {
    /// The next thing to change, and the note that it was changed; none when the refusal stands.
    pub(super) fn next(&mut self, refusal: &Refusal, sent: &Sent) -> Option<Mend> {
        if self.redirects < REDIRECTS_MAX
            && let Some(mend) = redirect(refusal, sent)
        {
            self.redirects += 1;
            return Some(mend);
        }
        if refusal.code == "SecondLevelDomainForbidden" && sent.path_style && !self.virtual_host {
            self.virtual_host = true;
            return Some(Mend::VirtualHost);
        }
        if sent.signed
            && !self.clock
            && let Some(offset) = clock_offset(refusal, sent)
        {
            self.clock = true;
            return Some(Mend::ClockOffset(offset));
        }
        if sent.signed && sent.refreshable && !self.credentials && blames_credentials(refusal) {
            self.credentials = true;
            return Some(Mend::Credentials);
        }
        if sent.unproven_checksum && !self.without_checksum && may_blame_checksum(refusal) {
            self.without_checksum = true;
            return Some(Mend::WithoutChecksum);
        }
        None
    }
}

fn redirect(refusal: &Refusal, sent: &Sent) -> Option<Mend> {
    let status = refusal.status.as_u16();
    let moved = matches!(status, 301 | 302 | 307 | 308);
    if !moved && !matches!(status, 400 | 403) {
        return None;
    }
    if let Some(region) = &refusal.region
        && *region != sent.region
    {
        return Some(Mend::Region(region.clone()));
    }
    if !moved {
        return None;
    }
    let (authority, _) = Authority::parse(refusal.location.as_deref()?).ok()?;
    Some(Mend::Authority(authority))
}

fn clock_offset(refusal: &Refusal, sent: &Sent) -> Option<SignedDuration> {
    // HEAD has no document, so any 403 with a clock far off may mean it.
    let blamed = matches!(
        refusal.code.as_str(),
        "RequestTimeTooSkewed" | "RequestExpired" | "RequestInTheFuture"
    ) || (refusal.status == 403 && refusal.code != "InvalidAccessKeyId");
    if !blamed {
        return None;
    }
    let offset = refusal.date?.duration_since(sent.now);
    let change = (offset - sent.clock_offset).abs();
    (change >= SKEW_MIN).then_some(offset)
}

fn blames_credentials(refusal: &Refusal) -> bool {
    let by_code = matches!(
        refusal.code.as_str(),
        "ExpiredToken"
            | "ExpiredTokenException"
            | "InvalidToken"
            | "InvalidAccessKeyId"
            | "InvalidClientTokenId"
            | "TokenRefreshRequired"
    );
    // HEAD cannot say ExpiredToken: S3 answers 400 without a document.
    by_code || (refusal.status == 400 && refusal.without_document)
}

/// Whether a store that knows no CRC64NVME might answer like this. Only codes that plainly mean
/// something else are ruled out: one request more does no harm, and the store is remembered as
/// older only when it then says yes.
fn may_blame_checksum(refusal: &Refusal) -> bool {
    match refusal.code.as_str() {
        "InvalidRequest"
        | "InvalidArgument"
        | "NotImplemented"
        | "InvalidHeader"
        | "XAmzContentChecksumMismatch"
        | "SignatureDoesNotMatch" => true,
        "AuthorizationHeaderMalformed"
        | "BadDigest"
        | "EntityTooLarge"
        | "EntityTooSmall"
        | "ExpiredToken"
        | "IncompleteBody"
        | "InvalidBucketName"
        | "InvalidDigest"
        | "InvalidPart"
        | "InvalidPartOrder"
        | "InvalidStorageClass"
        | "InvalidToken"
        | "KeyTooLongError"
        | "MetadataTooLarge"
        | "MissingContentLength"
        | "RequestTimeout"
        | "RequestTimeTooSkewed"
        | "TooManyBuckets"
        | "XAmzContentSHA256Mismatch" => false,
        _ => matches!(refusal.status.as_u16(), 400 | 501),
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use proptest::prelude::{any, prop_assert, proptest};

    use super::*;

    fn sent() -> Sent {
        Sent {
            signed: true,
            region: "us-east-1".to_owned(),
            path_style: true,
            unproven_checksum: false,
            refreshable: true,
            now: Timestamp::from_second(1_000_000).unwrap(),
            clock_offset: SignedDuration::ZERO,
        }
    }

    fn refusal(status: u16, code: &str) -> Refusal {
        Refusal {
            status: StatusCode::from_u16(status).unwrap(),
            code: code.to_owned(),
            ..Refusal::default()
        }
    }

    #[test]
    fn a_named_region_is_followed_and_not_for_ever() {
        let mut mends = Mends::default();
        let mut refusal = refusal(301, "PermanentRedirect");
        refusal.region = Some("eu-west-1".to_owned());
        let expected = Some(Mend::Region("eu-west-1".to_owned()));
        assert_eq!(mends.next(&refusal, &sent()), expected);
        assert_eq!(mends.next(&refusal, &sent()), expected);
        assert_eq!(mends.next(&refusal, &sent()), None);
        // The region we signed for already is no news.
        refusal.region = Some("us-east-1".to_owned());
        assert_eq!(Mends::default().next(&refusal, &sent()), None);
    }

    #[test]
    fn a_not_found_in_another_region_stays_not_found() {
        let mut refusal = refusal(404, "NoSuchKey");
        refusal.region = Some("eu-west-1".to_owned());
        assert_eq!(Mends::default().next(&refusal, &sent()), None);
    }

    #[test]
    fn a_clock_far_off_is_corrected_once() {
        let mut mends = Mends::default();
        let mut refusal = refusal(403, "RequestTimeTooSkewed");
        refusal.date = Some(Timestamp::from_second(1_003_600).unwrap());
        let hour = SignedDuration::from_hours(1);
        assert_eq!(mends.next(&refusal, &sent()), Some(Mend::ClockOffset(hour)));
        assert_eq!(mends.next(&refusal, &sent()), None);
        let corrected = Sent {
            clock_offset: hour,
            ..sent()
        };
        assert_eq!(Mends::default().next(&refusal, &corrected), None);
        // A small difference explains no refusal.
        refusal.code = "AccessDenied".to_owned();
        refusal.date = Some(Timestamp::from_second(1_000_060).unwrap());
        assert_eq!(Mends::default().next(&refusal, &sent()), None);
    }

    #[test]
    fn expired_credentials_are_had_anew_once() {
        let mut mends = Mends::default();
        let expired = refusal(400, "ExpiredToken");
        assert_eq!(mends.next(&expired, &sent()), Some(Mend::Credentials));
        assert_eq!(mends.next(&expired, &sent()), None);
        let fixed = Sent {
            refreshable: false,
            ..sent()
        };
        assert_eq!(Mends::default().next(&expired, &fixed), None);
    }

    #[test]
    fn a_checksum_is_left_out_only_where_it_is_unproven() {
        let unproven = Sent {
            unproven_checksum: true,
            ..sent()
        };
        for (status, code, expected) in [
            (400, "InvalidRequest", true),
            (501, "NotImplemented", true),
            (400, "SomethingOfItsOwn", true),
            (403, "SignatureDoesNotMatch", true),
            (403, "AccessDenied", false),
            (400, "BadDigest", false),
            (400, "EntityTooLarge", false),
            (503, "SlowDown", false),
        ] {
            let refusal = refusal(status, code);
            let mend = Mends::default().next(&refusal, &unproven);
            assert_eq!(mend == Some(Mend::WithoutChecksum), expected, "{code}");
            assert_eq!(Mends::default().next(&refusal, &sent()), None, "{code}");
        }
    }

    const CODES: [&str; 7] = [
        "AuthorizationHeaderMalformed",
        "SecondLevelDomainForbidden",
        "RequestTimeTooSkewed",
        "ExpiredToken",
        "InvalidRequest",
        "SignatureDoesNotMatch",
        "PermanentRedirect",
    ];

    proptest! {
        #[test]
        fn no_store_keeps_a_request_going_for_ever(
            refusals in proptest::collection::vec(
                (
                    proptest::sample::select(vec![200, 301, 307, 400, 403, 404, 501]),
                    proptest::sample::select(CODES.to_vec()),
                    proptest::option::of("[a-z]{1,3}"),
                    proptest::option::of("https?://[a-z]{1,3}/"),
                    proptest::option::of(0_i64..4_000_000_000),
                    any::<bool>(),
                ),
                40,
            ),
        ) {
            let mut mends = Mends::default();
            let mut mended = 0;
            for (status, code, region, location, date, without_document) in refusals {
                let mut refusal = refusal(status, code);
                refusal.region = region;
                refusal.location = location;
                refusal.date = date.map(|second| Timestamp::from_second(second).unwrap());
                refusal.without_document = without_document;
                let unproven = Sent { unproven_checksum: true, ..sent() };
                mended += u32::from(mends.next(&refusal, &unproven).is_some());
            }
            // Two redirects and one of each other kind.
            prop_assert!(mended <= REDIRECTS_MAX + 4, "{}", mended);
        }
    }
}
