//! Which question is answered by what, and by which member.

use serde_json::Value;

use super::super::sim::Simulator;
use super::answer::{Answer, Request};
use super::{cluster, health, hotspot, metrics_text, moving, regions, stores};

impl Simulator {
    /// What a member answers; nothing, if it accepts the request and never answers.
    pub(crate) fn asked(&mut self, member: usize, request: &Request) -> Option<Answer> {
        self.note_request(&request.method, request.whole_path(), request.caller.clone());
        if self.members[member].stopped {
            return None;
        }
        let path: Vec<&str> = request.path.split('/').filter(|part| !part.is_empty()).collect();
        if let Some(local) = self.answered_locally(member, &path) {
            return Some(local);
        }
        let Some(leader) = self.serving() else {
            // A leader that stands still is still believed in: whoever is passed on to it waits.
            let stands_still = self.leadership.leader.is_some_and(|leader| self.members[leader].stopped);
            return if stands_still { None } else { Some(Answer::leader_gone()) };
        };
        let reads = request.method == "GET";
        let transfers = matches!(path.as_slice(), ["pd", "api", "v1", "leader", ..]);
        // Whatever has to be written waits for a disk that hangs.
        if !reads && !transfers && self.members[leader].disk_hangs {
            return None;
        }
        match path.as_slice() {
            ["pd", "api", "v1", rest @ ..] => Some(match request.method.as_str() {
                "GET" => self.read(request, rest),
                "POST" => self.post(request, rest),
                "DELETE" => self.delete(request, rest),
                _ => Answer::text(405, ""),
            }),
            ["pd", "api", "v2", "ready"] => Some(if self.initialized() { Answer::ok("") } else { Answer::empty(503) }),
            _ => Some(Answer::not_found()),
        }
    }

    fn answered_locally(&self, member: usize, path: &[&str]) -> Option<Answer> {
        Some(match path {
            ["metrics"] => Answer::text(200, metrics_text::of(self, member)),
            ["pd", "api", "v1", "ping"] => Answer::empty(200),
            ["pd", "api", "v1", "status"] => Answer::ok(health::status(self, member)),
            ["pd", "api", "v1", "version"] => Answer::ok(health::version()),
            ["pd", "api", "v1", "health"] => Answer::ok(health::health(self)),
            _ => return None,
        })
    }

    fn read(&self, request: &Request, path: &[&str]) -> Answer {
        match path {
            ["members"] => Answer::ok(cluster::members(self)),
            ["leader"] => Answer::ok(cluster::leader(self)),
            ["cluster"] => Answer::ok(cluster::cluster(self)),
            ["cluster", "status"] => Answer::ok(cluster::status(self)),
            ["config"] => Answer::ok(cluster::config(self)),
            ["config", "schedule"] => Answer::ok(cluster::schedule(self)),
            ["config", "replicate"] => Answer::ok(Value::Object(self.settings.replication.clone())),
            ["config", "pd-server"] => Answer::ok(cluster::pd_server()),
            ["config", "rules"] => Answer::ok(cluster::rules(self)),
            ["config", "placement-rule"] => Answer::ok(cluster::placement(self)),
            ["min-resolved-ts"] => Answer::ok(cluster::min_resolved_ts(self)),
            ["gc", "safepoint"] => Answer::ok(cluster::safepoint(self)),
            ["labels"] => Answer::ok(stores::labels(self)),
            ["labels", "stores"] => Answer::ok(stores::all(self, request)),
            ["stores"] => Answer::ok(stores::all(self, request)),
            ["stores", "check"] => Answer::ok(stores::check(self, request)),
            ["stores", "limit"] => Answer::ok(stores::limits(self)),
            ["stores", "progress"] => stores::progress(self, request),
            ["store", id] => match self.store_in_path(id) {
                Ok(store) => Answer::ok(stores::one(self, store)),
                Err(refusal) => Err(refusal).into(),
            },
            ["region", "id", id] => regions::by_id(self, id),
            ["region", "key", key] => regions::by_key(self, key),
            ["regions", "check", kind] => regions::check(self, kind),
            ["regions", "key"] => regions::from_key(self, request),
            ["regions", "store", id] => match self.store_in_path(id) {
                Ok(store) => regions::of_store(self, store),
                Err(refusal) => Err(refusal).into(),
            },
            ["regions"] => regions::all(self, request),
            ["regions", order] => regions::ordered(self, order, request),
            ["stats", "region"] => Answer::ok(regions::stats(self)),
            ["hotspot", "regions", "write"] => Answer::ok(hotspot::regions(self, true)),
            ["hotspot", "regions", "read"] => Answer::ok(hotspot::regions(self, false)),
            ["hotspot", "stores"] => Answer::ok(hotspot::stores(self)),
            ["operators"] => Answer::ok(moving::operators(self, request)),
            ["operators", "records"] => Answer::ok(moving::records(self, request)),
            ["operators", region] => moving::operator(self, region),
            ["schedulers"] => Answer::ok(moving::schedulers(self, request)),
            ["schedulers", "diagnostic", name] => moving::diagnostic(self, name),
            ["scheduler-config", name, "list"] => moving::scheduler_config(self, name),
            ["checker", name] => moving::checker(self, name),
            _ => Answer::not_found(),
        }
    }

    fn post(&mut self, request: &Request, path: &[&str]) -> Answer {
        let body = &request.body;
        match path {
            ["operators"] => self.create_operator(body).into(),
            ["schedulers"] => self.add_scheduler(body).into(),
            ["schedulers", name] => self.pause_scheduler(name, body).into(),
            ["checker", name] => self.pause_checker(name, body).into(),
            ["config"] => self.change_settings(body).into(),
            ["leader", "resign"] => self.transfer_pd_leader(None).into(),
            ["leader", "transfer", name] => self.transfer_pd_leader(Some(name)).into(),
            ["members", "name", name] => match self.member_by_name(name) {
                Some(index) => {
                    self.members[index].priority = body.get("leader-priority").and_then(Value::as_i64).unwrap_or(0);
                    Answer::ok("The leader priority is updated.")
                }
                None => Answer::json(404, &format!("not found, pd: {name}").into()),
            },
            ["regions", "scatter"] => moving::scatter(self, body),
            ["store", id, what] => {
                let store = match self.store_in_path(id) {
                    Ok(store) => store,
                    Err(refusal) => return Err(refusal).into(),
                };
                match *what {
                    "limit" => self.set_limit(store, body).into(),
                    "weight" => self.set_weight(store, body).into(),
                    "label" => self.set_labels(store, body, request.parameter("force").is_some()).into(),
                    "state" => {
                        let state = request.parameter("state").unwrap_or_default().to_owned();
                        self.set_state(store, &state).into()
                    }
                    _ => Answer::not_found(),
                }
            }
            _ => Answer::not_found(),
        }
    }

    fn delete(&mut self, request: &Request, path: &[&str]) -> Answer {
        match path {
            ["operators", region] => match region.parse() {
                Ok(region) => self.cancel_operator(region).into(),
                Err(_) => Answer::json(400, &"invalid region id".into()),
            },
            ["operators"] => {
                let regions: Vec<u32> = self.operators.running().map(|operator| operator.region).collect();
                for region in regions {
                    self.cancel(region);
                }
                Answer::ok("All pending operators are canceled.")
            }
            ["schedulers", name] => self.remove_scheduler(name).into(),
            ["store", id] => match self.store_in_path(id) {
                // Whether `force` is there decides, not what it says.
                Ok(store) => self.take_offline(store, request.parameter("force").is_some()).into(),
                Err(refusal) => Err(refusal).into(),
            },
            ["stores", "remove-tombstone"] => {
                for store in self.stores.iter_mut().filter(|store| store.record.state == 2) {
                    store.joined = false;
                }
                Answer::ok("Remove tombstone successfully.")
            }
            _ => Answer::not_found(),
        }
    }
}
