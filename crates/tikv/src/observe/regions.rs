//! Regions that are not as they should be: how many there are of each kind, some of them by name, and those that may have
//! lost their quorum. Never all: a cluster has hundreds of thousands, and reading them has stopped a PD before.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use operator_protocols::Timestamp;

use super::reading::in_time;
use crate::details::{ClusterDetail, MetricsDetail};
use crate::pd::{PdClient, api};

/// PD's words for what may ail a region, and whether that is looked up by name as well.
const WORDS: [&str; 7] =
    ["miss-peer", "down-peer", "pending-peer", "extra-peer", "offline-peer", "empty-region", "oversized-region"];
/// Regions that are named for each word.
const SAMPLES: usize = 8;
/// Regions of one page, and pages of one observation, of the look for lost quorums.
const PAGE: usize = 256;
const PAGES: usize = 4;
/// How long that may take.
const SCAN_WITHIN: Duration = Duration::from_secs(3);
/// A list that goes on beyond what is read of it makes work for PD: so long it is not asked for again.
const REST_AFTER_LONG: Duration = Duration::from_secs(60);
/// Regions without quorum that are kept.
const MAX_FOUND: usize = 1_000;

/// What is remembered from one look to the next.
#[derive(Debug, Default)]
pub(super) struct Regions {
    /// How many there are by a word, when it was last counted by metrics.
    counted: BTreeMap<String, u64>,
    /// The last list by a word, and when it may be asked for again.
    listed: BTreeMap<&'static str, (api::Regions, Timestamp)>,
    scan: Scan,
}

/// The walk over all regions while stores are silent.
#[derive(Debug, Default)]
struct Scan {
    silent: BTreeSet<u64>,
    /// Where it goes on: hexadecimal.
    next: String,
    round: u64,
    /// Regions looked at in this round, and in the last whole one.
    looked: u64,
    last_round: Option<u64>,
    /// Voters of regions of which half or more are on silent stores, with the round they were found in.
    found: BTreeMap<u64, (Vec<u64>, u64)>,
}

impl Regions {
    /// Looks up what is worth it: lists of what there was any of, and, while stores are silent, some more regions.
    pub(super) async fn look(&mut self, pd: &PdClient, silent: &BTreeSet<u64>, at: Timestamp) {
        let due = |word: &&str| {
            let none = self.counted.get(*word) == Some(&0);
            let resting = self.listed.get(*word).is_some_and(|(_, again)| *again > at);
            !none && !resting
        };
        let words: Vec<&'static str> = WORDS.into_iter().filter(due).collect();
        let lists = words.iter().map(|word| list(pd, word));
        let (lists, ()) = tokio::join!(all(lists), self.scan.walk(pd, silent));
        for (word, answer) in words.into_iter().zip(lists) {
            match answer {
                Some((list, whole)) => {
                    let again = if whole { at } else { at.plus(REST_AFTER_LONG) };
                    self.listed.insert(word, (list, again));
                }
                None => {
                    self.listed.remove(word);
                }
            }
        }
    }

    /// Writes down what is known: by the lists, or by what metrics count.
    pub(super) fn note(&mut self, cluster: &mut ClusterDetail, metrics: &MetricsDetail, lost: &BTreeSet<u64>) {
        self.counted.clear();
        for word in WORDS {
            let counted = metrics.leader("pd_regions", &format!("{word}-region-count"));
            let by_metrics = counted.filter(|count| count.is_finite()).map(|count| count as u64);
            if let Some(count) = by_metrics {
                self.counted.insert(word.to_owned(), count);
            }
            let listed = self.listed.get(word).map(|(list, _)| list);
            // Lists are of now, metrics of up to a scrape ago; a list that rests is of before.
            if let Some(count) = listed.map(|list| list.count).or(by_metrics) {
                cluster.abnormal.insert(word.to_owned(), count);
            }
            let named = listed.into_iter().flat_map(|list| &list.regions).take(SAMPLES).map(|region| region.id);
            let named: Vec<u64> = named.collect();
            if !named.is_empty() {
                cluster.samples.insert(word.to_owned(), named);
            }
        }
        if let Some(looked) = self.scan.looked_at() {
            cluster.looked_at = Some(looked);
            let voters = self.scan.found.iter().map(|(region, (voters, _))| (region, voters));
            let without = voters.filter(|(_, voters)| lacks_quorum(voters, lost)).map(|(region, _)| *region);
            cluster.without_quorum = without.take(100).collect();
        }
    }

    /// Forgets counts when nothing is known any more.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

/// Whether half or more of the voters are lost.
fn lacks_quorum(voters: &[u64], lost: &BTreeSet<u64>) -> bool {
    let gone = voters.iter().filter(|store| lost.contains(store)).count();
    !voters.is_empty() && gone * 2 >= voters.len()
}

async fn all<T>(asking: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    // One after another: each is work for PD's leader, and all are short where nothing is wrong.
    let mut answers = Vec::new();
    for one in asking {
        answers.push(one.await);
    }
    answers
}

async fn list(pd: &PdClient, word: &str) -> Option<(api::Regions, bool)> {
    let path = format!("/pd/api/v1/regions/check/{word}");
    let (text, goes_on) = in_time(&path, pd.get_beginning(&path)).await.ok()?;
    let mut list = api::beginning(&text)?;
    list.regions.truncate(SAMPLES);
    Some((list, !goes_on))
}

impl Scan {
    /// How many regions stand behind what is known; none, if the walk has not begun.
    fn looked_at(&self) -> Option<u64> {
        let looked = self.looked.max(self.last_round.unwrap_or_default());
        (looked > 0).then_some(looked)
    }

    async fn walk(&mut self, pd: &PdClient, silent: &BTreeSet<u64>) {
        if *silent != self.silent {
            *self = Self { silent: silent.clone(), ..Self::default() };
        }
        if silent.is_empty() {
            return;
        }
        // What was found stays when time is over.
        let _ = tokio::time::timeout(SCAN_WITHIN, self.pages(pd)).await;
    }

    async fn pages(&mut self, pd: &PdClient) {
        for _ in 0..PAGES {
            let Some(key) = encoded(&self.next) else { break };
            let path = format!("/pd/api/v1/regions/key?key={key}&limit={PAGE}");
            let Ok(page) = pd.get::<api::Regions>(&path).await else { return };
            let Some(last) = page.regions.last() else { break };
            self.looked += page.regions.len() as u64;
            let end = last.end_key.clone();
            for region in page.regions {
                let voters: Vec<u64> = region.peers.iter().filter(|peer| peer.votes()).map(|p| p.store_id).collect();
                if lacks_quorum(&voters, &self.silent) && self.found.len() < MAX_FOUND {
                    self.found.insert(region.id, (voters, self.round));
                }
            }
            if end.is_empty() || end <= self.next {
                return self.begin_again();
            }
            self.next = end;
        }
        if encoded(&self.next).is_none() {
            self.begin_again();
        }
    }

    fn begin_again(&mut self) {
        let round = self.round;
        self.found.retain(|_, (_, found_in)| *found_in == round);
        self.last_round = Some(self.looked);
        (self.looked, self.round) = (0, round + 1);
        self.next.clear();
    }
}

/// A key as it stands in a query: PD takes its bytes, and shows them in hexadecimal.
fn encoded(hexadecimal: &str) -> Option<String> {
    let whole = hexadecimal.len().is_multiple_of(2) && hexadecimal.bytes().all(|byte| byte.is_ascii_hexdigit());
    whole.then(|| {
        let pairs = hexadecimal.as_bytes().chunks_exact(2);
        pairs.map(|pair| format!("%{}", String::from_utf8_lossy(pair))).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_voters_is_no_majority() {
        let lost = BTreeSet::from([1, 2]);
        assert!(lacks_quorum(&[1, 2, 3], &lost) && lacks_quorum(&[1, 3], &lost) && lacks_quorum(&[2], &lost));
        assert!(
            !lacks_quorum(&[1, 3, 4], &lost) && !lacks_quorum(&[1, 2, 3, 4, 5], &lost) && !lacks_quorum(&[], &lost)
        );
    }

    #[test]
    fn keys_are_written_byte_by_byte() {
        assert_eq!(encoded("7480FF"), Some("%74%80%FF".to_owned()));
        assert_eq!(encoded(""), Some(String::new()));
        assert_eq!(encoded("748"), None);
        assert_eq!(encoded("zz"), None);
    }

    #[test]
    fn what_metrics_count_stands_where_there_is_no_list() {
        let mut regions = Regions::default();
        regions.listed.insert("miss-peer", (api::Regions { count: 7, regions: Vec::new() }, Timestamp::default()));
        let mut metrics = MetricsDetail::default();
        let counted = metrics.answers_by_query.entry("pd_regions".to_owned()).or_default();
        counted.leader.insert("down-peer-region-count".to_owned(), 4.0);
        let mut cluster = ClusterDetail::default();
        regions.note(&mut cluster, &metrics, &BTreeSet::new());
        assert_eq!(cluster.abnormal, BTreeMap::from([("miss-peer".to_owned(), 7), ("down-peer".to_owned(), 4)]));
        assert_eq!(cluster.looked_at, None, "nobody looked for lost quorums");
    }
}
