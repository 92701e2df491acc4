//! What every assignor promises, and what each promises alone.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::group::TopicPartition;

type Checked<T> = std::result::Result<T, TestCaseError>;

fn peer(id: &str, topics: &[&str]) -> Peer {
    Peer {
        id: id.to_owned(),
        instance: None,
        subscription: Subscription {
            topics: topics.iter().map(|topic| (*topic).to_owned()).collect(),
            user_data: None,
            owned: Owned::new(),
            generation: -1,
            rack: None,
        },
    }
}

fn counts(of: &[(&str, i32)]) -> Counts {
    of.iter().map(|(topic, count)| ((*topic).to_owned(), *count)).collect()
}

fn shown(assigned: &Assignments) -> Vec<String> {
    let each = assigned.iter().map(|(id, owned)| {
        let owned: Vec<String> = owned.iter().map(ToString::to_string).collect();
        format!("{id}: {}", owned.join(" "))
    });
    each.collect()
}

#[test]
fn a_range_gives_the_first_members_what_is_left_over() {
    let members = vec![peer("b", &["t", "u"]), peer("a", &["t"]), peer("c", &["t"])];
    let assigned = Assignor::Range.assign(members, &counts(&[("t", 7), ("u", 1)]));
    assert_eq!(shown(&assigned), ["a: t-0 t-1 t-2", "b: t-3 t-4 u-0", "c: t-5 t-6"]);
}

#[test]
fn static_members_come_first_whatever_their_ids() {
    let mut fixed = peer("z", &["t"]);
    fixed.instance = Some("one".to_owned());
    let assigned = Assignor::Range.assign(vec![peer("a", &["t"]), fixed], &counts(&[("t", 3)]));
    assert_eq!(shown(&assigned), ["a: t-2", "z: t-0 t-1"]);
}

#[test]
fn round_robin_passes_over_those_who_do_not_want_a_topic() {
    let members = vec![peer("a", &["t"]), peer("b", &["t", "u"]), peer("c", &["u"])];
    let assigned = Assignor::RoundRobin.assign(members, &counts(&[("t", 3), ("u", 3)]));
    assert_eq!(shown(&assigned), ["a: t-0 t-2", "b: t-1 u-0 u-2", "c: u-1"]);
}

#[test]
fn what_moves_is_given_up_before_it_is_given() {
    let mut first = peer("a", &["t"]);
    first.subscription.owned = (0..4).map(|partition| TopicPartition::new("t", partition)).collect();
    first.subscription.generation = 1;
    let mut members = vec![first, peer("b", &["t"])];
    let assigned = Assignor::CooperativeSticky.assign(members.clone(), &counts(&[("t", 4)]));
    assert_eq!(shown(&assigned), ["a: t-0 t-1", "b: "]);
    members[0].subscription.owned = assigned["a"].clone();
    let assigned = Assignor::CooperativeSticky.assign(members, &counts(&[("t", 4)]));
    assert_eq!(shown(&assigned), ["a: t-0 t-1", "b: t-2 t-3"]);
}

#[test]
fn an_old_claim_does_not_count() {
    let mut members = vec![peer("a", &["t"]), peer("b", &["t"]), peer("c", &["t"])];
    for (member, generation) in members.iter_mut().zip([4, 5, 5]) {
        member.subscription.generation = generation;
    }
    members[0].subscription.owned = [TopicPartition::new("t", 0), TopicPartition::new("t", 1)].into();
    members[1].subscription.owned = [TopicPartition::new("t", 0)].into();
    let assigned = Assignor::CooperativeSticky.assign(members, &counts(&[("t", 2)]));
    assert_eq!(shown(&assigned), ["a: t-1", "b: t-0", "c: "]);
}

/// Some members, each wanting some of three topics; `is_alike`: all of them.
fn members(is_alike: bool) -> impl Strategy<Value = Vec<Peer>> {
    let topics = proptest::collection::vec(any::<[bool; 3]>(), 1..7);
    topics.prop_map(move |wanted| {
        let each = wanted.iter().enumerate().map(|(at, wanted)| {
            let names = ["t", "u", "v"].into_iter().zip(wanted).filter(|(_, wanted)| is_alike || **wanted);
            peer(&format!("m{at}"), &names.map(|(name, _)| name).collect::<Vec<_>>())
        });
        each.collect()
    })
}

fn topics() -> impl Strategy<Value = Counts> {
    (0..9_i32, 0..9_i32, 0..9_i32).prop_map(|(t, u, v)| counts(&[("t", t), ("u", u), ("v", v)]))
}

/// Every partition that somebody wants has one owner, who wants it.
fn each_once(members: &[Peer], counts: &Counts, assigned: &Assignments) -> Checked<()> {
    let mut seen = BTreeSet::new();
    for member in members {
        for one in &assigned[&member.id] {
            prop_assert!(member.wants(&one.topic), "{} does not want {one}", member.id);
            prop_assert!(seen.insert(one.clone()), "{one} has two owners");
        }
    }
    let wanted = counts.iter().filter(|(topic, _)| members.iter().any(|member| member.wants(topic)));
    let wanted = wanted.flat_map(|(topic, count)| (0..*count).map(|at| TopicPartition::new(topic.clone(), at)));
    prop_assert_eq!(seen, wanted.collect::<BTreeSet<_>>());
    Ok(())
}

fn spread(assigned: &Assignments) -> usize {
    let sizes = || assigned.values().map(BTreeSet::len);
    sizes().max().unwrap_or(0) - sizes().min().unwrap_or(0)
}

/// Rounds until nobody has to give anything up. Nobody is ever given what another has.
fn settled(members: &mut [Peer], counts: &Counts, generation: &mut i32) -> Checked<Assignments> {
    for _ in 0..6 {
        let assigned = Assignor::CooperativeSticky.assign(members.to_vec(), counts);
        let mut gave_up = false;
        for member in members.iter() {
            for one in assigned[&member.id].difference(&member.subscription.owned) {
                let other = members.iter().find(|other| other.subscription.owned.contains(one));
                prop_assert!(other.is_none(), "{one} is still another's");
            }
            gave_up |= !member.subscription.owned.is_subset(&assigned[&member.id]);
        }
        *generation += 1;
        for member in members.iter_mut() {
            member.subscription.owned = assigned[&member.id].clone();
            member.subscription.generation = *generation;
        }
        if !gave_up {
            return Ok(assigned);
        }
    }
    Err(TestCaseError::fail("the group does not settle"))
}

proptest! {
    #[test]
    fn each_partition_has_one_owner(members in members(false), counts in topics()) {
        for assignor in [Assignor::Range, Assignor::RoundRobin, Assignor::CooperativeSticky] {
            each_once(&members, &counts, &assignor.assign(members.clone(), &counts))?;
        }
    }

    #[test]
    fn equal_members_have_equally_much(members in members(true), counts in topics()) {
        for assignor in [Assignor::RoundRobin, Assignor::CooperativeSticky] {
            prop_assert!(spread(&assignor.assign(members.clone(), &counts)) <= 1);
        }
    }

    #[test]
    fn only_as_much_moves_as_must(mut members in members(true), counts in topics(), leaves: bool) {
        let mut generation = 0;
        let before = settled(&mut members, &counts, &mut generation)?;
        let gone = if leaves && members.len() > 1 { members.pop().map(|member| member.id) } else { None };
        if !leaves {
            members.push(peer("n", &["t", "u", "v"]));
        }
        let after = settled(&mut members, &counts, &mut generation)?;
        each_once(&members, &counts, &after)?;
        prop_assert!(spread(&after) <= 1);
        let lost = before.iter().filter(|(id, _)| Some(*id) != gone.as_ref());
        let lost: usize = lost.map(|(id, had)| had.difference(&after[id]).count()).sum();
        let came: usize = if leaves { 0 } else { after["n"].len() };
        prop_assert!(lost <= came, "{lost} moved, {came} had to");
    }

    #[test]
    fn a_settled_group_does_not_move(mut members in members(false), counts in topics()) {
        let mut generation = 0;
        let before = settled(&mut members, &counts, &mut generation)?;
        prop_assert_eq!(before, settled(&mut members, &counts, &mut generation)?);
    }
}

#[test]
fn subscriptions_have_javas_bytes() {
    let mut wanted = peer("a", &["t"]).subscription;
    wanted.owned = [TopicPartition::new("t", 1)].into();
    wanted.generation = 7;
    wanted.user_data = Some(bytes::Bytes::from_static(&[0, 0, 0, 7]));
    let encoded = wanted.encode().expect("encodes");
    let expected: &[u8] = &[
        0, 3, 0, 0, 0, 1, 0, 1, b't', 0, 0, 0, 4, 0, 0, 0, 7, 0, 0, 0, 1, 0, 1, b't', 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0,
        7, 0xff, 0xff,
    ];
    assert_eq!(&encoded[..], expected);
    assert_eq!(Subscription::decode(&encoded).expect("decodes"), wanted);
    // Version 0 ends behind its user data; a cooperative member of it tells its generation there.
    let old = bytes::Bytes::from_static(&[0, 0, 0, 0, 0, 1, 0, 1, b't', 0, 0, 0, 4, 0, 0, 0, 9]);
    let old = Subscription::decode(&old).expect("decodes");
    assert_eq!((old.owned.len(), old.generation), (0, 9));
    let assigned: Owned = [TopicPartition::new("t", 1)].into();
    let encoded = super::super::subscription::encode_assignment(&assigned).expect("encodes");
    let expected: &[u8] = &[0, 3, 0, 0, 0, 1, 0, 1, b't', 0, 0, 0, 1, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff];
    assert_eq!(&encoded[..], expected);
    assert_eq!(super::super::subscription::decode_assignment(&encoded).expect("decodes"), assigned);
    for cut in 0..encoded.len() {
        let _error = super::super::subscription::decode_assignment(&encoded.slice(..cut));
    }
}
