//! Subscriptions by regular expression: the coordinator matches them against the names of all topics, and matches them again
//! when there are new ones.
//!
//! An expression is matched by an automaton, in time that grows with the name's length alone, and its automaton is bounded, so
//! that nobody's expression holds up the others. It has to match a whole name. Matching is not done in the heartbeat that asks
//! for it, but in a turn of its own.

use std::collections::{BTreeMap, BTreeSet};

use highwater_protocol::error_code::ErrorCode;
use regex::{Regex, RegexBuilder};

use super::{ConsumerGroup, Member, Refused, Resolved, Watch, metadata_hash};
use crate::controller::image::Image;
use crate::group::classic::Now;
use crate::group::records::Change;

/// Bytes that the automaton of one expression may take.
const AUTOMATON_BYTES: usize = 1 << 20;
/// Different expressions that one group may have: each is held against the names of all topics.
const MOST_EXPRESSIONS: usize = 100;
/// How many of them one turn matches, so that others get theirs in between.
const EXPRESSIONS_A_TURN: usize = 10;
/// A group's expressions are not matched again sooner than this.
const LEAST_PAUSE_MS: i64 = 10_000;
/// They are matched again after this, whatever happened.
const LONGEST_PAUSE_MS: i64 = 600_000;

/// Whether a member changed its expression.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Changed {
    No,
    /// The topics of the new one are not known yet.
    Unresolved,
    /// They are.
    Resolved,
}

/// Whether a member changed its expression, and whether the new one is one.
pub(super) fn check_change(group: &ConsumerGroup, before: &Member, member: &Member) -> Result<Changed, Refused> {
    if before.regex == member.regex {
        return Ok(Changed::No);
    }
    if member.regex.is_empty() || group.resolved.contains_key(&member.regex) {
        return Ok(Changed::Resolved);
    }
    if group.subscribers(&member.regex) == 0 {
        check(&member.regex)?;
        check_room(group, before)?;
    }
    Ok(Changed::Unresolved)
}

/// Refuses an expression more than a group may have. One that its only subscriber gives up for it makes room.
fn check_room(group: &ConsumerGroup, before: &Member) -> Result<(), Refused> {
    let given_up = usize::from(group.subscribers(&before.regex) == 1);
    if group.subscribers.len() - given_up < MOST_EXPRESSIONS {
        return Ok(());
    }
    let message = format!(
        "Group {} has {MOST_EXPRESSIONS} different regular expressions, and no room for another: subscribe by one of them, or by \
         the topics' names.",
        group.id
    );
    Err(Refused::new(ErrorCode::InvalidRegularExpression, message))
}

/// Forgets an expression that nobody subscribes to any more, and has the others matched where they have to be.
pub(super) fn note_change(
    group: &ConsumerGroup,
    watch: &mut Watch,
    before: &Member,
    member: &Member,
    at: Now<'_>,
    out: &mut Vec<Change>,
) {
    let mut subscribed: BTreeSet<&str> = group.subscribers.keys().map(String::as_str).collect();
    if before.regex != member.regex {
        if group.subscribers(&before.regex) == 1 {
            subscribed.remove(before.regex.as_str());
            out.push(Change::consumer(&group.id).regex(&before.regex, None));
        }
        if !member.regex.is_empty() {
            subscribed.insert(&member.regex);
        }
    }
    let last = group.resolved.values().next().map(|resolved| resolved.timestamp);
    let is_within = |pause_ms| last.is_some_and(|last| (last..=last + pause_ms).contains(&at.wall.0));
    if subscribed.is_empty() || watch.resolve_at.is_some() || is_within(LEAST_PAUSE_MS) {
        return;
    }
    let is_unknown = |regex: &&str| !group.resolved.contains_key(*regex);
    if subscribed.iter().any(is_unknown) || !watch.has_matched_all || !is_within(LONGEST_PAUSE_MS) {
        watch.resolve_at = Some(at.now);
    }
}

/// Matches a group's expressions, some of them if there are many; the next turn goes on. Where one matches other topics than
/// before, or a member was given what its own does not match, the group has a new epoch.
pub(in crate::group) fn resolve(group: &ConsumerGroup, watch: &mut Watch, at: Now<'_>, out: &mut Vec<Change>) {
    if watch.unmatched.is_empty() {
        watch.unmatched = group.subscribers.keys().cloned().collect();
        watch.has_matched_all = true;
    }
    let change = Change::consumer(&group.id);
    let mut all: BTreeMap<&str, BTreeSet<String>> =
        group.resolved.iter().map(|(regex, resolved)| (regex.as_str(), resolved.topics.clone())).collect();
    let mut has_changed = false;
    for _ in 0..EXPRESSIONS_A_TURN {
        let Some(next) = watch.unmatched.pop_first() else { break };
        // Meanwhile it may be nobody's.
        let Some((regex, _)) = group.subscribers.get_key_value(&next) else { continue };
        let topics = matched(regex, at.image);
        has_changed |= all.get(regex.as_str()).map_or(!topics.is_empty(), |before| *before != topics);
        let resolved = Resolved { topics: topics.clone(), version: 0, timestamp: at.wall.0 };
        out.push(change.regex(regex, Some(&resolved)));
        all.insert(regex, topics);
    }
    watch.resolve_at = (!watch.unmatched.is_empty()).then_some(at.now);
    has_changed |= group.epoch == group.assignment_epoch && has_strangers(group, &all, at.image);
    let mut topics: BTreeSet<&String> = group.members.values().flat_map(|member| &member.topics).collect();
    topics.extend(all.values().flatten());
    let hash = metadata_hash(topics.into_iter(), at.image);
    if has_changed || hash != group.metadata_hash {
        out.push(change.metadata(Some((group.epoch + 1, hash))));
        watch.knows_topics = true;
    }
}

/// Whether the target gives a member of a topic that neither its names nor its expression are about: it gave that up when it
/// changed its expression, and nobody else was given it.
fn has_strangers(group: &ConsumerGroup, matched: &BTreeMap<&str, BTreeSet<String>>, image: &Image) -> bool {
    group.members.iter().any(|(id, member)| {
        let Some(matched) = matched.get(member.regex.as_str()) else { return false };
        let mut given = group.target.get(id).into_iter().flat_map(BTreeMap::keys);
        given.any(|topic| {
            let name = image.topic_by_id(*topic).map(|topic| &topic.name);
            name.is_some_and(|name| !matched.contains(name) && !member.topics.contains(name))
        })
    })
}

fn matched(regex: &str, image: &Image) -> BTreeSet<String> {
    // What a record holds was checked before.
    let Ok(compiled) = compiled(&whole(regex)) else { return BTreeSet::new() };
    image.topics().filter(|topic| compiled.is_match(&topic.name)).map(|topic| topic.name.clone()).collect()
}

/// Refuses what is no expression.
fn check(regex: &str) -> Result<(), Refused> {
    // By itself first: what closes a parenthesis that it did not open is no expression, whatever stands around it.
    compiled(regex).and_then(|_| compiled(&whole(regex))).map(drop).map_err(|error| {
        let message = format!("`{regex}` is no regular expression in RE2's syntax: {error}.");
        Refused::new(ErrorCode::InvalidRegularExpression, message)
    })
}

/// The expression that matches whole names.
fn whole(regex: &str) -> String {
    format!("\\A(?:{regex})\\z")
}

/// The automaton of an expression.
fn compiled(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern).size_limit(AUTOMATON_BYTES).build()
}
