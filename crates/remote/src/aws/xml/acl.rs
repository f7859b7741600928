//! Access control lists.

use super::InvalidXml;
use super::scanner::{Element, Scanner};
use super::writer::Writer;
use crate::types::{AccessControlPolicy, Grant, Grantee, Owner, Permission};

/// The namespace in which a grantee says what it is.
/// Source: S3 API reference, request syntax of PutObjectAcl (read 2026-11).
const INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// Reads the answer of GetObjectAcl. What a grant says must be understood: a list that is shorter
/// than the store's would be written elsewhere as if it were whole.
pub(crate) fn parse_acl(document: &[u8]) -> Result<AccessControlPolicy, InvalidXml> {
    let (mut scanner, root) = Scanner::root(document, &["AccessControlPolicy"])?;
    let mut policy = AccessControlPolicy::default();
    while let Some(child) = scanner.child(&root)? {
        match child.local() {
            "Owner" => {
                let who = who(&mut scanner, &child)?;
                policy.owner = who.id.map(|id| Owner {
                    id,
                    display_name: who.display_name,
                });
            }
            "AccessControlList" => {
                while let Some(inner) = scanner.child(&child)? {
                    match inner.local() {
                        "Grant" => policy.grants.push(grant(&mut scanner, &inner)?),
                        _ => scanner.skip(&inner)?,
                    }
                }
            }
            _ => scanner.skip(&child)?,
        }
    }
    scanner.finish()?;
    Ok(policy)
}

fn grant(scanner: &mut Scanner<'_>, element: &Element<'_>) -> Result<Grant, InvalidXml> {
    let mut grantee = None;
    let mut permission = None;
    while let Some(child) = scanner.child(element)? {
        match child.local() {
            "Grantee" => grantee = who(scanner, &child)?.into_grantee(),
            "Permission" => {
                let text = scanner.text(&child)?;
                let known = Permission::from_name(text.trim());
                permission = Some(known.ok_or_else(|| InvalidXml::Word {
                    element: "Permission",
                    text: text.chars().take(64).collect(),
                })?);
            }
            _ => scanner.skip(&child)?,
        }
    }
    Ok(Grant {
        grantee: grantee.ok_or(InvalidXml::Missing("Grantee"))?,
        permission: permission.ok_or(InvalidXml::Missing("Permission"))?,
    })
}

/// What an owner or a grantee is said to be. Its kind is told by which of these there are: the
/// attribute that names it is not written by every store.
#[derive(Debug, Default)]
struct Who {
    id: Option<String>,
    display_name: Option<String>,
    email: Option<String>,
    uri: Option<String>,
}

impl Who {
    fn into_grantee(self) -> Option<Grantee> {
        match (self.uri, self.id, self.email) {
            (Some(uri), _, _) => Some(Grantee::Group(uri)),
            (None, Some(id), _) => Some(Grantee::CanonicalUser(Owner {
                id,
                display_name: self.display_name,
            })),
            (None, None, Some(email)) => Some(Grantee::Email(email)),
            (None, None, None) => None,
        }
    }
}

fn who(scanner: &mut Scanner<'_>, element: &Element<'_>) -> Result<Who, InvalidXml> {
    let mut who = Who::default();
    while let Some(child) = scanner.child(element)? {
        let field = match child.local() {
            "ID" => &mut who.id,
            "DisplayName" => &mut who.display_name,
            "EmailAddress" => &mut who.email,
            "URI" => &mut who.uri,
            _ => {
                scanner.skip(&child)?;
                continue;
            }
        };
        *field = Some(scanner.text(&child)?.into_owned()).filter(|text| !text.is_empty());
    }
    Ok(who)
}

/// Writes the body of PutObjectAcl.
pub(crate) fn write_acl(policy: &AccessControlPolicy) -> String {
    let mut writer = Writer::new("AccessControlPolicy");
    if let Some(owner) = &policy.owner {
        writer.open("Owner");
        write_owner(&mut writer, owner);
        writer.close("Owner");
    }
    writer.open("AccessControlList");
    for grant in &policy.grants {
        writer.open("Grant");
        let kind = match &grant.grantee {
            Grantee::CanonicalUser(_) => "CanonicalUser",
            Grantee::Email(_) => "AmazonCustomerByEmail",
            Grantee::Group(_) => "Group",
        };
        let attributes = format!("xmlns:xsi=\"{INSTANCE}\" xsi:type=\"{kind}\"");
        writer.open_with("Grantee", &attributes);
        match &grant.grantee {
            Grantee::CanonicalUser(user) => write_owner(&mut writer, user),
            Grantee::Email(email) => writer.leaf("EmailAddress", email),
            Grantee::Group(uri) => writer.leaf("URI", uri),
        }
        writer.close("Grantee");
        writer.leaf("Permission", grant.permission.as_str());
        writer.close("Grant");
    }
    writer.close("AccessControlList");
    writer.finish()
}

fn write_owner(writer: &mut Writer, owner: &Owner) {
    writer.leaf("ID", &owner.id);
    if let Some(display_name) = &owner.display_name {
        writer.leaf("DisplayName", display_name);
    }
}
