//! Help texts: examples first.

/// How the page of all commands is laid out; examples bring an empty line of their own.
pub(crate) const ROOT_TEMPLATE: &str = "\
{name}: {about}

{before-help}Usage: {usage}

{all-args}
";

/// How the page of one command is laid out.
pub(crate) const COMMAND_TEMPLATE: &str = "\
{name}: {about}

{before-help}Usage: {usage}

{all-args}
";

pub(crate) const ROOT_EXAMPLES: &str = "\
Examples:
  longhaul ls s3://music/2026/
  longhaul cp song.mp3 s3://music/
  longhaul cp 's3://music/*.mp3' here/
  longhaul sync --delete photos/ s3://backup/photos/
  longhaul --endpoint-url http://127.0.0.1:9000 sync 's3://music/*' s3://copy/
  longhaul --source-profile partner sync 's3://theirs/*' s3://ours/
  longhaul COMMAND --help

A side without flags of its own (--source-..., --destination-...) is asked as this machine usually
asks. For one side alone, LONGHAUL_SOURCE_AWS_ACCESS_KEY_ID, LONGHAUL_DESTINATION_AWS_PROFILE and
so on mean what AWS_ACCESS_KEY_ID and AWS_PROFILE mean for both.";

pub(crate) const LIST: &str = "\
Examples:
  longhaul ls                        all buckets
  longhaul ls s3://music/2026/       one level: prefixes and objects
  longhaul ls 's3://music/*.mp3'     everything that the pattern covers
  longhaul ls -e -H 's3://music/*'   with ETags, sizes for people";

pub(crate) const DISK_USAGE: &str = "\
Examples:
  longhaul du 's3://music/*'
  longhaul du -g -H 's3://music/*'   a line a storage class";

pub(crate) const HEAD: &str = "\
Examples:
  longhaul head s3://music/song.mp3
  longhaul head s3://music           is the bucket there?";

pub(crate) const REMOVE: &str = "\
Examples:
  longhaul rm s3://music/song.mp3
  longhaul rm 's3://music/old/*'
  longhaul --dry-run rm 's3://music/*.tmp'
  longhaul rm --all-versions 's3://music/old/*'";

pub(crate) const COPY: &str = "\
Examples:
  longhaul cp song.mp3 s3://music/                up
  longhaul cp s3://music/song.mp3 .               down
  longhaul cp 's3://music/2026/*' here/           everything below a prefix
  longhaul cp albums/ s3://music/                 a folder's content
  longhaul cp albums s3://music/                  a folder with its name
  longhaul cp -n 's3://music/*' s3://copy/        from store to store, keeping what is there
  longhaul cp --raw 's3://music/50%*off' .        a name with a star in it";

pub(crate) const MOVE: &str = "\
Examples:
  longhaul mv song.mp3 s3://music/
  longhaul mv 's3://music/new/*' s3://music/old/
A source is deleted only after its copy was checked.";

pub(crate) const SYNC: &str = "\
Examples:
  longhaul sync photos/ s3://backup/photos/
  longhaul sync --delete --max-delete 5% photos/ s3://backup/photos/
  longhaul sync --checksum 's3://music/*' s3://copy/
  longhaul --dry-run --summary sync 's3://music/*' s3://copy/
  longhaul sync --versions 's3://music/*' s3://copy/
Copies what is newer at the source or differs in size; run it again to go on after an interruption.";

pub(crate) const DOCTOR: &str = "\
Examples:
  longhaul doctor 's3://partner/2026/*' s3://ours/copy/     before a cp
  longhaul doctor --for sync-delete 's3://partner/*' s3://ours/
  longhaul doctor --key 2026/song.mp3 s3://partner          may read, may not list
  longhaul --json doctor s3://partner
Writing is tried by an upload that is begun and given up; nothing is ever put in place.
Exits with 1 when something is missing, and prints the smallest policy to ask for.";

pub(crate) const MAKE_BUCKET: &str = "\
Example:
  longhaul mb s3://music";

pub(crate) const REMOVE_BUCKET: &str = "\
Example:
  longhaul rb s3://music";

pub(crate) const BUCKET_VERSION: &str = "\
Examples:
  longhaul bucket-version s3://music
  longhaul bucket-version --set Enabled s3://music";

pub(crate) const PRESIGN: &str = "\
Example:
  longhaul presign --expire 24h s3://music/song.mp3";

pub(crate) const CAT: &str = "\
Examples:
  longhaul cat s3://music/list.txt
  longhaul cat 's3://logs/2026-11-*' | grep error";

pub(crate) const PIPE: &str = "\
Example:
  tar c photos | longhaul pipe s3://backup/photos.tar";

pub(crate) const RUN: &str = "\
Examples:
  longhaul run commands.txt
  printf 'cp a s3://music/\\nrm s3://music/b\\n' | longhaul run
Quotes and backslashes mean what they mean to a shell; lines that begin with # and empty lines say nothing.";

pub(crate) const EXISTS: &str = "\
Examples:
  longhaul exists s3://logos acme.png globex.png       present or absent, a line a key
  longhaul exists s3://logos/acme.png s3://logos/x.png the same by URLs
  longhaul exists --keys wanted.txt --count s3://logos millions of keys from a list
  longhaul exists --keys - --missing-only s3://logos < wanted.txt > missing.txt
  longhaul exists --keys wanted.txt --record-missing missing.txt s3://logos
  longhaul cp --keys missing.txt 's3://source/*' s3://logos/   and collects what is missing
A key that the store will not speak of is unknown, never absent. Exit code 0: every key was answered;
1: some are unknown. Answers come in the order given; those of more than 65,536 keys by key.";

pub(crate) const VERIFY: &str = "\
Examples:
  longhaul verify 's3://music/*' s3://copy/             by checksums and ETags, nothing is read
  longhaul verify photos/ s3://backup/photos/           a folder with a bucket
  longhaul verify --read --sample 1% 's3://music/*' s3://copy/
  longhaul verify --manifest run.jsonl.zst s3://copy/   is everything there that the run moved?
  longhaul verify --manifest run.csv s3://music/ s3://copy/   and are the sources still the same?
Prints what is missing, differing, extra, unverifiable (sizes agree and nothing else can be compared) or
unknown (could not be asked), and sums on standard error. Exit code 0: nothing but equal and unverifiable
objects; 1: a finding (an extra object too, unless --allow-extra; an unverifiable one under --strict).";

pub(crate) const JOBS: &str = "\
Examples:
  longhaul jobs                          what runs, was interrupted, or left failures
  longhaul jobs rm 20261122-153301-4f2a  forget a job, abort its unfinished uploads, and
                                         remove its unfinished downloads
A cp, mv or sync is listed once it began an object in parts or did a thousand objects, until all of it is done.";

pub(crate) const RESUME: &str = "\
Examples:
  longhaul resume 20261122-153301-4f2a
  longhaul resume --last
Runs the command again in its folder, leaving alone what it had done and keeping parts that arrived.
Keys that came from the environment must be there again. Flags before resume are added to the command's own.";

pub(crate) const UPLOADS: &str = "\
Examples:
  longhaul uploads ls                          unfinished uploads of jobs of this machine
  longhaul uploads ls s3://music/              and of anybody else, below this name
  longhaul uploads abort s3://music/           ours, but for those of running jobs
  longhaul uploads abort --all --older-than 7d s3://music
What others upload is aborted only with --all, and only when it is old.";

pub(crate) const COMPLETIONS: &str = "\
Example:
  longhaul completions fish > ~/.config/fish/completions/longhaul.fish";

/// Prints the page of a command, or of all commands.
pub(crate) fn print(output: &crate::output::Output, about: Option<&str>) {
    let mut schema = super::grammar::schema();
    schema.build();
    let page = match about.and_then(|name| schema.find_subcommand_mut(name)) {
        Some(command) => command.render_help(),
        None => schema.render_help(),
    };
    output.text(format_args!("{}", page.to_string().trim_end()));
}
