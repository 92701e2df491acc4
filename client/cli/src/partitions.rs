//! A list of partitions as it is typed: `0,2,4-6`.

/// The most partitions that a list may name.
const MOST: usize = 100_000;

/// Partitions, in order, each once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Partitions(pub(crate) Vec<i32>);

impl Partitions {
    /// Reads a list.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text} is no list of partitions: write numbers and ranges, as in 0,2,4-6");
        let number = |text: &str| text.trim().parse::<i32>().ok().filter(|number| *number >= 0).ok_or_else(wrong);
        let mut found = Vec::new();
        for part in text.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (number(first)?, number(last)?);
            let room = MOST.saturating_sub(found.len());
            if first > last || usize::try_from(last.saturating_sub(first)).map_or(true, |more| more >= room) {
                return Err(wrong());
            }
            found.extend(first..=last);
        }
        found.sort_unstable();
        found.dedup();
        Ok(Self(found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_ranges_are_read() {
        assert_eq!(Partitions::parse("4-6,0,2,5"), Ok(Partitions(vec![0, 2, 4, 5, 6])));
        for text in ["", "x", "-1", "3-1", "1,", "0-2000000000", "1-"] {
            assert!(Partitions::parse(text).is_err(), "{text}");
        }
    }
}
