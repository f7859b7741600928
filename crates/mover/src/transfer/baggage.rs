//! What one object carries besides its bytes, on its way from store to store.
//!
//! Overview: what [`fidelity`] lets go along, with the tags read where there may be any; what the
//! destination refuses is left behind and said, or the object is refused under `--strict`.
//! Invariants: what the user asked for is never left behind. An access list is set after the object
//! arrived, since no write carries one.

use base::Fault;
use base::fault::Classified as _;
use remote::types::{
    AccessControlPolicy, GetObjectAcl, GetObjectTagging, ObjectAttributes, ObjectHead,
    PutObjectAcl, Tag,
};

use crate::engine::Move;
use crate::error::{Error, Result};
use crate::event::{Attribute, Loss};
use crate::fidelity::{self, Way};
use crate::location::ObjectLocation;
use crate::route::{Route, is_amazon};
use crate::transfer::scope::Scope;

/// What an object is to carry.
#[derive(Debug)]
pub(crate) struct Baggage<'a> {
    scope: &'a Scope,
    task: &'a Move,
    from: &'a ObjectLocation,
    to: &'a ObjectLocation,
    attributes: ObjectAttributes,
    /// The source's access list, where it is to go along.
    access_list: Option<AccessControlPolicy>,
    lost: Vec<Loss>,
}

impl<'a> Baggage<'a> {
    /// What an object of this head carries. `with_tags` says that they are to be read: the store's
    /// own copy of a whole object takes them along by itself.
    pub(crate) async fn of(
        scope: &'a Scope,
        task: &'a Move,
        (from, to): (&'a ObjectLocation, &'a ObjectLocation),
        head: &ObjectHead,
        route: Route,
        with_tags: bool,
    ) -> Result<Baggage<'a>> {
        let way = Way {
            route,
            from_amazon: is_amazon(&scope.source().endpoint()),
            to_amazon: is_amazon(&scope.destination().endpoint()),
        };
        let load = fidelity::load(head, &task.options, way, scope.context.clock.now());
        let mut baggage = Baggage {
            scope,
            task,
            from,
            to,
            attributes: load.attributes,
            access_list: None,
            lost: Vec::new(),
        };
        for loss in load.lost {
            baggage.lose(loss)?;
        }
        if with_tags && baggage.attributes.tagging.is_none() {
            baggage.read_tags(head, way.from_amazon).await?;
        }
        if task.options.preserve_acl && baggage.attributes.acl.is_none() {
            baggage.read_access_list().await?;
        }
        Ok(baggage)
    }

    /// What a request is to ask for.
    pub(crate) fn attributes(&self) -> ObjectAttributes {
        self.attributes.clone()
    }

    /// Leaves behind what the destination may have refused with `error`: then the request is worth
    /// another try.
    pub(crate) fn lighten(&mut self, error: &Error) -> Result<bool> {
        let Error::Remote(error) = error else {
            return Ok(false);
        };
        let given = &self.task.options.attributes;
        let left = fidelity::without_refused(error, &mut self.attributes, given);
        let Some(loss) = left else {
            return Ok(false);
        };
        self.lose(loss)?;
        Ok(true)
    }

    /// Sets what no write carries, and says what did not go along.
    pub(crate) async fn arrived(mut self) -> Result<Vec<Loss>> {
        if let Some(list) = self.access_list.take()
            && let Err(error) = self.write_access_list(&list).await
        {
            self.lose(access_list_lost(&error))?;
        }
        if !self.lost.is_empty() {
            self.scope.accounts.attributes_lost.add(1);
        }
        for loss in &self.lost {
            self.scope.warn(&format!("{}: {}", self.from, loss.line));
        }
        Ok(self.lost)
    }

    fn lose(&mut self, loss: Loss) -> Result<()> {
        if self.task.options.strict {
            return Err(Error::Refused(format!(
                "{}: {}; without --strict it is copied all the same",
                self.from, loss.line
            )));
        }
        self.lost.push(loss);
        Ok(())
    }

    async fn read_tags(&mut self, head: &ObjectHead, from_amazon: bool) -> Result<()> {
        let routes = &self.scope.context.routes;
        let bucket = &self.from.bucket;
        match head.tag_count {
            Some(0) => return Ok(()),
            Some(_) => routes.learn_tags_are_counted(bucket),
            // Amazon S3 says it of every object that has some.
            None if from_amazon || routes.needs_no_look_for_tags(bucket) => return Ok(()),
            None => {}
        }
        let request = GetObjectTagging {
            bucket: bucket.clone(),
            key: self.from.key.clone(),
            version_id: self.from.version_id.clone(),
        };
        match self.scope.source().get_object_tagging(request).await {
            Ok(tags) if tags.is_empty() => Ok(()),
            Ok(tags) => {
                self.attributes.tagging = Some(Tag::encode_all(&tags));
                Ok(())
            }
            Err(error) if matches!(error.fault(), Fault::Unsupported | Fault::Invalid) => {
                routes.learn_tags_are_counted(bucket);
                Ok(())
            }
            Err(error) if error.fault() == Fault::Denied => self.lose(Loss {
                attribute: Attribute::Tags,
                line: format!("its tags are left behind: {error}"),
            }),
            Err(error) => Err(error.into()),
        }
    }

    async fn read_access_list(&mut self) -> Result<()> {
        match self.access_list_of(Side::Source).await {
            Ok(list) => {
                self.access_list = Some(list);
                Ok(())
            }
            Err(error) if is_retryable_elsewhere(&error) => Err(error.into()),
            Err(error) => self.lose(access_list_lost(&error)),
        }
    }

    async fn access_list_of(&self, side: Side) -> remote::Result<AccessControlPolicy> {
        let (client, object) = match side {
            Side::Source => (self.scope.source(), self.from),
            Side::Destination => (self.scope.destination(), self.to),
        };
        let request = GetObjectAcl {
            bucket: object.bucket.clone(),
            key: object.key.clone(),
            version_id: object.version_id.clone(),
        };
        client.get_object_acl(request).await
    }

    async fn write_access_list(&self, list: &AccessControlPolicy) -> remote::Result<()> {
        let there = self.access_list_of(Side::Destination).await?;
        let policy = fidelity::access_list(list, there.owner.clone());
        if policy == there {
            return Ok(());
        }
        let request = PutObjectAcl {
            bucket: self.to.bucket.clone(),
            key: self.to.key.clone(),
            version_id: None,
            policy,
        };
        self.scope.destination().put_object_acl(request).await
    }
}

fn access_list_lost(error: &remote::Error) -> Loss {
    Loss {
        attribute: Attribute::AccessList,
        line: format!("its access list is left behind: {error}"),
    }
}

#[derive(Debug, Clone, Copy)]
enum Side {
    Source,
    Destination,
}

/// Whether the failure says nothing of what may be read.
fn is_retryable_elsewhere(error: &remote::Error) -> bool {
    error.fault().is_retryable() || matches!(error.fault(), Fault::Expired | Fault::Cancelled)
}
