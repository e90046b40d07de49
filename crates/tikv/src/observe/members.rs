//! The members of PD: each asked by itself, whether it lives and since when.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::Url;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::reading::Answer;
use crate::details::MemberDetail;
use crate::pd::{PdClient, PdError, api, shown};

/// Asking one member.
const WITHIN: Duration = Duration::from_secs(3);

/// Who is in PD, as far as is known: by PD's word now or before; by the word of any member about the others; or nothing but
/// the addresses of the settings, which then stand for names.
pub(super) fn known(
    pd: &PdClient,
    told: &Answer<api::Members>,
    health: &Answer<Vec<api::Health>>,
    remembered: Option<&api::Members>,
) -> Vec<api::Member> {
    let members = told.as_ref().ok().or(remembered).map(|members| members.members.clone());
    if let Some(members) = members.filter(|members| !members.is_empty()) {
        return members;
    }
    let of_health = |one: &api::Health| api::Member {
        name: one.name.clone(),
        member_id: one.member_id,
        client_urls: one.client_urls.clone(),
        ..api::Member::default()
    };
    match health {
        Ok(health) if !health.is_empty() => health.iter().map(of_health).collect(),
        _ => pd.seeds().iter().map(of_seed).collect(),
    }
}

fn of_seed(seed: &Url) -> api::Member {
    api::Member { name: shown(seed), client_urls: vec![seed.to_string()], ..api::Member::default() }
}

/// What is known of the members before they are asked.
pub(super) fn details(members: &[api::Member], health: &Answer<Vec<api::Health>>) -> BTreeMap<String, MemberDetail> {
    let healthy = |name: &str| health.as_ref().ok()?.iter().find(|one| one.name == name).map(|one| one.health);
    let detail = |member: &api::Member| MemberDetail {
        member_id: member.member_id,
        urls: member.client_urls.iter().take(4).cloned().collect(),
        healthy: healthy(&member.name),
        version: Some(member.binary_version.clone()).filter(|version| !version.is_empty()),
        priority: member.leader_priority,
        ..MemberDetail::default()
    };
    let named = members.iter().filter(|member| !member.name.is_empty());
    named.map(|member| (member.name.clone(), detail(member))).collect()
}

/// What a member answered itself; none, if it may not be asked.
#[derive(Debug)]
pub(super) struct Asked {
    ping: Result<(), PdError>,
    status: Option<api::Status>,
}

/// Asks every member that may be asked.
pub(super) async fn ask(pd: &PdClient, members: &[api::Member]) -> BTreeMap<String, Asked> {
    let mut asking = JoinSet::new();
    for member in members {
        let urls = pd.urls_of(member);
        if urls.is_empty() {
            continue;
        }
        let (pd, name) = (pd.clone(), member.name.clone());
        asking.spawn(async move {
            let late = PdError::Timeout { member: name.clone(), why: format!("/ping within {WITHIN:?}") };
            let asked = timeout(WITHIN, ask_one(&pd, &urls)).await;
            (name, asked.unwrap_or(Asked { ping: Err(late), status: None }))
        });
    }
    let mut all = BTreeMap::new();
    while let Some(asked) = asking.join_next().await {
        all.extend(asked.ok());
    }
    all
}

async fn ask_one(pd: &PdClient, urls: &[Url]) -> Asked {
    let mut last =
        Err(PdError::NotSent { member: "PD".to_owned(), why: "it has no address".to_owned(), refused: false });
    for url in urls {
        last = pd.ping(url).await;
        if last.is_ok() {
            let status = timeout(Duration::from_secs(1), pd.get_from(url, "/pd/api/v1/status")).await;
            return Asked { ping: last, status: status.ok().and_then(Result::ok) };
        }
    }
    Asked { ping: last, status: None }
}

impl Asked {
    /// Writes it down.
    pub(super) fn note(self, member: &mut MemberDetail) {
        member.answers = self.ping.is_ok();
        if let Err(error) = self.ping {
            member.refused = matches!(error, PdError::NotSent { refused: true, .. });
            member.tls = matches!(error, PdError::Tls { .. });
            member.silence = Some(error.to_string());
        }
        if let Some(status) = self.status {
            member.started = Some(status.start_timestamp).filter(|started| *started > 0);
            member.version = Some(status.version).filter(|version| !version.is_empty()).or(member.version.take());
        }
    }
}
