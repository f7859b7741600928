//! Conditional requests, decided.

use base::ETag;
use jiff::Timestamp;

use super::error::Error;

/// What `If-Match` and `If-None-Match` name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ETagMatch {
    /// `*`: whatever is there.
    Any,
    /// One of these.
    OneOf(Vec<ETag>),
}

impl ETagMatch {
    /// Reads a header: `*`, or ETags with or without quotes, between commas.
    pub fn from_header(text: &str) -> ETagMatch {
        if text.trim() == "*" {
            return ETagMatch::Any;
        }
        ETagMatch::OneOf(text.split(',').map(ETag::from_header).collect())
    }

    fn holds(&self, etag: &ETag) -> bool {
        match self {
            ETagMatch::Any => true,
            ETagMatch::OneOf(etags) => etags.contains(etag),
        }
    }
}

/// Conditions on what stands at the destination of a write.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WriteConditions {
    /// `If-Match`.
    pub if_match: Option<ETagMatch>,
    /// `If-None-Match`; S3 takes `*` only.
    pub if_none_match: Option<ETagMatch>,
}

impl WriteConditions {
    /// `If-None-Match: *`.
    pub fn absent() -> WriteConditions {
        WriteConditions {
            if_match: None,
            if_none_match: Some(ETagMatch::Any),
        }
    }

    /// `If-Match` with one ETag.
    pub fn matches(etag: ETag) -> WriteConditions {
        WriteConditions {
            if_match: Some(ETagMatch::OneOf(vec![etag])),
            if_none_match: None,
        }
    }

    /// Decides a PUT, copy or Complete, given the current object's ETag if there is one.
    pub(crate) fn check(&self, current: Option<&ETag>) -> Result<(), Error> {
        if let Some(if_match) = &self.if_match {
            let current = current.ok_or(Error::NoSuchKey {
                delete_marker: None,
            })?;
            failed_unless(if_match.holds(current), "If-Match")?;
        }
        match &self.if_none_match {
            None => Ok(()),
            Some(ETagMatch::Any) => failed_unless(current.is_none(), "If-None-Match"),
            Some(ETagMatch::OneOf(_)) => Err(Error::NotImplemented(
                "A header you provided implies functionality that is not implemented",
            )),
        }
    }

    /// Decides a DELETE. What is gone already may be deleted whatever it should have been.
    /// Source: S3 API reference, DeleteObject, `If-Match` (read 2026-11).
    pub(crate) fn check_delete(&self, current: Option<&ETag>) -> Result<(), Error> {
        match (&self.if_match, current) {
            (Some(if_match), Some(current)) => failed_unless(if_match.holds(current), "If-Match"),
            (None, _) | (_, None) => Ok(()),
        }
    }
}

/// Conditions on what is read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReadConditions {
    /// `If-Match`.
    pub if_match: Option<ETagMatch>,
    /// `If-None-Match`.
    pub if_none_match: Option<ETagMatch>,
    /// `If-Modified-Since`.
    pub if_modified_since: Option<Timestamp>,
    /// `If-Unmodified-Since`.
    pub if_unmodified_since: Option<Timestamp>,
}

impl ReadConditions {
    /// Decides a GET or HEAD. An ETag condition that holds overrules the date condition beside
    /// it. HTTP dates know whole seconds only.
    /// Source: S3 API reference, GetObject, "Additional considerations" (read 2026-11).
    pub(crate) fn check(&self, etag: &ETag, last_modified: Timestamp) -> Result<(), Error> {
        let modified = last_modified.as_second();
        match (&self.if_match, self.if_unmodified_since) {
            (Some(if_match), _) => failed_unless(if_match.holds(etag), "If-Match")?,
            (None, Some(time)) => {
                failed_unless(modified <= time.as_second(), "If-Unmodified-Since")?;
            }
            (None, None) => {}
        }
        let unchanged = match (&self.if_none_match, self.if_modified_since) {
            (Some(if_none_match), _) => if_none_match.holds(etag),
            (None, Some(time)) => modified <= time.as_second(),
            (None, None) => false,
        };
        if unchanged {
            return Err(Error::NotModified);
        }
        Ok(())
    }

    /// Decides for the source of a copy, where "not modified" is a failed condition too.
    pub(crate) fn check_copy_source(
        &self,
        etag: &ETag,
        last_modified: Timestamp,
    ) -> Result<(), Error> {
        match self.check(etag, last_modified) {
            Err(Error::NotModified) => Err(Error::PreconditionFailed {
                condition: "x-amz-copy-source-If-None-Match",
            }),
            otherwise => otherwise,
        }
    }
}

fn failed_unless(holds: bool, condition: &'static str) -> Result<(), Error> {
    if holds {
        Ok(())
    } else {
        Err(Error::PreconditionFailed { condition })
    }
}
