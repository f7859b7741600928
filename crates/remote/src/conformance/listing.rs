//! Listings: order, pages, prefixes, where they begin.

use super::Check;
use super::bench::{Bench, Verdict, holds, same};
use crate::types::ListObjects;

pub(super) fn checks() -> Vec<Check> {
    vec![
        Check::new("list of nothing", |bench| Box::pin(nothing(bench))),
        Check::new("list rows", |bench| Box::pin(rows(bench))),
        Check::new("list order", |bench| Box::pin(order(bench))),
        Check::new("list prefix", |bench| Box::pin(prefix(bench))),
        Check::new("list pages", |bench| Box::pin(pages(bench, false))),
        Check::new("list delimiter", |bench| Box::pin(delimiter(bench, false))),
        Check::new("list delimiter of two characters", |bench| {
            Box::pin(long_delimiter(bench))
        }),
        Check::new("list start-after", |bench| Box::pin(start_after(bench))),
        Check::new("list start-after under a prefix", |bench| {
            Box::pin(start_after_under_prefix(bench))
        }),
        Check::new("list start-after a common prefix", |bench| {
            Box::pin(start_after_common_prefix(bench))
        }),
        Check::new("list v1 pages", |bench| Box::pin(pages(bench, true))),
        Check::new("list v1 delimiter", |bench| {
            Box::pin(delimiter(bench, true))
        }),
        Check::new("list v1 marker", |bench| Box::pin(v1_marker(bench))),
    ]
}

async fn fill(bench: &Bench<'_>, names: &[&str]) -> Verdict {
    for name in names {
        bench.put(name, "x").await?;
    }
    Ok(())
}

async fn nothing(bench: &Bench<'_>) -> Verdict {
    let page = bench.client.list_objects(bench.list("")).await?;
    holds("no rows", page.objects.is_empty())?;
    same("next page", page.next, None)?;
    bench.put("k", "x").await?;
    let page = bench.client.list_objects(bench.list("z")).await?;
    holds("no rows under the prefix", page.objects.is_empty())
}

async fn rows(bench: &Bench<'_>) -> Verdict {
    bench.put("a", "12345").await?;
    bench.put("b", "").await?;
    let (rows, _) = bench.all_objects(bench.list("")).await?;
    same("rows", rows.len(), 2)?;
    for row in rows {
        let head = bench.head(row.key.as_str()).await?;
        same("size", row.size, head.size)?;
        same("ETag", row.etag, head.etag)?;
        let seconds = |time: Option<jiff::Timestamp>| time.map(|time| time.as_second());
        let modified = (seconds(row.last_modified), seconds(head.last_modified));
        same("Last-Modified", modified.0, modified.1)?;
        same("version", row.version, None)?;
    }
    Ok(())
}

async fn order(bench: &Bench<'_>) -> Verdict {
    // The last two stand the other way round in UTF-16, upper case before lower in no locale, and
    // the middle ones otherwise where a path is compared part by part.
    let names = [
        "0",
        "A",
        "B",
        "a",
        "a b",
        "a-b",
        "a.b",
        "a/b",
        "a0b",
        "aB",
        "ab",
        "b",
        "é",
        "\u{ff61}",
        "\u{1f600}",
    ];
    let mut shuffled = names;
    shuffled.reverse();
    shuffled.swap(2, 9);
    fill(bench, &shuffled).await?;
    same(
        "keys",
        bench.all_keys(bench.list("")).await?,
        names.map(str::to_owned).to_vec(),
    )
}

async fn prefix(bench: &Bench<'_>) -> Verdict {
    // No key lies below another one: stores over a file tree have this check too.
    fill(bench, &["a-", "a/1", "a/2", "a/22", "ab", "b"]).await?;
    let keys = |prefix: &str| bench.all_keys(bench.list(prefix));
    same("under a", keys("a").await?.len(), 5)?;
    let under = owned(&["a/1", "a/2", "a/22"]);
    same("under a/", keys("a/").await?, under)?;
    same("under a/2", keys("a/2").await?, owned(&["a/2", "a/22"]))?;
    same("under a/22", keys("a/22").await?, owned(&["a/22"]))?;
    same("under A", keys("A").await?, Vec::new())
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

async fn pages(bench: &Bench<'_>, v1: bool) -> Verdict {
    let names = ["a", "b b", "c/1", "c/2", "d+", "e&", "é"];
    fill(bench, &names).await?;
    for keys_max in 1..=8 {
        let request = ListObjects {
            keys_max: Some(keys_max),
            v1,
            ..bench.list("")
        };
        let keys = bench.all_keys(request).await?;
        same(&format!("pages of {keys_max}"), keys, owned(&names))?;
    }
    Ok(())
}

async fn delimiter(bench: &Bench<'_>, v1: bool) -> Verdict {
    fill(
        bench,
        &["a", "b/1", "b/2", "b c/1", "d", "e/f/1", "e/f/2", "e/g"],
    )
    .await?;
    for keys_max in [1, 2, 3, 100] {
        let request = |prefix: &str| ListObjects {
            delimiter: Some("/".to_owned()),
            keys_max: Some(keys_max),
            v1,
            ..bench.list(prefix)
        };
        let names = |rows: Vec<crate::types::ListedObject>| -> Vec<String> {
            rows.iter().map(|row| row.key.to_string()).collect()
        };
        let (rows, prefixes) = bench.all_objects(request("")).await?;
        let what = format!("pages of {keys_max}");
        same(&what, names(rows), owned(&["a", "d"]))?;
        same(&what, prefixes, owned(&["b c/", "b/", "e/"]))?;
        let (rows, prefixes) = bench.all_objects(request("e/")).await?;
        same(&what, names(rows), owned(&["e/g"]))?;
        same(&what, prefixes, owned(&["e/f/"]))?;
    }
    Ok(())
}

async fn long_delimiter(bench: &Bench<'_>) -> Verdict {
    fill(bench, &["a--1", "a--2", "a-b", "b"]).await?;
    let request = ListObjects {
        delimiter: Some("--".to_owned()),
        ..bench.list("")
    };
    let (rows, prefixes) = bench.all_objects(request).await?;
    same("rows", rows.len(), 2)?;
    same("prefixes", prefixes, owned(&["a--"]))
}

async fn after(bench: &Bench<'_>, prefix: &str, after: &str) -> Verdict<Vec<String>> {
    let request = ListObjects {
        start_after: Some(after.to_owned()),
        keys_max: Some(2),
        ..bench.list(prefix)
    };
    bench.all_keys(request).await
}

async fn start_after(bench: &Bench<'_>) -> Verdict {
    fill(bench, &["a", "b", "b b", "c", "é"]).await?;
    same(
        "after b",
        after(bench, "", "b").await?,
        owned(&["b b", "c", "é"]),
    )?;
    let between = after(bench, "", "b a\u{1f600}").await?;
    same("after a name between", between, owned(&["b b", "c", "é"]))?;
    same("after c", after(bench, "", "c").await?, owned(&["é"]))?;
    same("after the last", after(bench, "", "é").await?, Vec::new())?;
    same("from the beginning", after(bench, "", "A").await?.len(), 5)
}

async fn start_after_under_prefix(bench: &Bench<'_>) -> Verdict {
    fill(bench, &["a/1", "a/2", "b/1", "b/2", "c/1"]).await?;
    same("inside", after(bench, "b/", "b/1").await?, owned(&["b/2"]))?;
    same(
        "before",
        after(bench, "b/", "a").await?,
        owned(&["b/1", "b/2"]),
    )?;
    same("beyond", after(bench, "b/", "c").await?, Vec::new())
}

async fn start_after_common_prefix(bench: &Bench<'_>) -> Verdict {
    fill(bench, &["a/1", "b/1", "b/2", "c"]).await?;
    let request = ListObjects {
        start_after: Some("b/".to_owned()),
        delimiter: Some("/".to_owned()),
        ..bench.list("b/")
    };
    let keys = bench.all_keys(request).await?;
    same("keys under the prefix itself", keys, owned(&["b/1", "b/2"]))
}

async fn v1_marker(bench: &Bench<'_>) -> Verdict {
    fill(bench, &["a", "b", "b b", "c", "d"]).await?;
    let request = ListObjects {
        start_after: Some("b".to_owned()),
        keys_max: Some(2),
        v1: true,
        ..bench.list("")
    };
    same(
        "after b",
        bench.all_keys(request).await?,
        owned(&["b b", "c", "d"]),
    )
}
