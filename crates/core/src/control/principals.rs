//! Establishes who asks: by what the kernel says of the socket's other end, or by a token. A name alone is nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use subtle::ConstantTimeEq;

use crate::control::token_source::read_token;
use crate::control::{Grant, PrincipalsConfig, PrincipalsError, SubjectScope, Token};
use crate::{Identity, Principal, Role};

/// The name the operator itself acts under.
const RESERVED: &str = "operator";

/// Who may ask for what.
#[derive(Clone)]
pub struct Principals {
    peers: BTreeMap<u32, Grant>,
    tokens: Vec<([u8; 32], Grant)>,
}

/// Why it was not established who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The user is not named in the configuration.
    #[error("user {uid} may not ask anything of this operator: an administrator can name them among its peers")]
    UnknownPeer {
        /// The user's id.
        uid: u32,
    },
    /// The token is nobody's.
    #[error("the token is not known to this operator: leave it out to ask as the present user")]
    WrongToken,
}

impl Principals {
    /// Root and the user `own_uid` as administrators, and nobody else.
    pub fn own_user(own_uid: u32) -> Self {
        let mut principals = Self { peers: BTreeMap::new(), tokens: Vec::new() };
        principals.add_defaults(own_uid);
        principals
    }

    /// Those of `config`, and by default root and the user `own_uid` that the operator runs as. `env` reads an
    /// environment variable.
    ///
    /// # Errors
    /// Names the key that is wrong. No token is part of the message.
    pub fn new(
        config: &PrincipalsConfig,
        own_uid: u32,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, PrincipalsError> {
        let mut principals = Self { peers: BTreeMap::new(), tokens: Vec::new() };
        for (n, peer) in config.peers.iter().enumerate() {
            let field = |key: &str| format!("peers[{n}].{key}");
            let subjects = peer.subjects.as_deref().map_or(Ok(SubjectScope::All), |names| scope(names, &field))?;
            let identity = Identity::Peer { uid: peer.uid };
            let grant = Grant { principal: named(&peer.name, peer.role, identity, &field)?, subjects };
            if principals.peers.insert(peer.uid, grant).is_some() {
                return Err(wrong(field("uid"), format!("{} is listed twice", peer.uid)));
            }
        }
        for (n, config) in config.tokens.iter().enumerate() {
            let field = |key: &str| format!("tokens[{n}].{key}");
            let principal = named(&config.name, config.role, Identity::Token, &field)?;
            let grant = Grant { principal, subjects: scope(&config.subjects, &field)? };
            let digest = read_token(config, env, &field)?.digest();
            if principals.tokens.iter().any(|(known, _)| *known == digest) {
                return Err(wrong(field("name"), "its token is another principal's too: give each its own".into()));
            }
            principals.tokens.push((digest, grant));
        }
        principals.add_defaults(own_uid);
        Ok(principals)
    }

    /// Who asks, by the user at the other end and the token that was shown. A wrong token is refused even where the
    /// user is known: it was meant to be somebody else.
    ///
    /// # Errors
    /// When neither names anybody.
    pub fn establish(&self, peer_uid: u32, token: Option<&Token>) -> Result<Grant, Denied> {
        let Some(token) = token else {
            return self.peers.get(&peer_uid).cloned().ok_or(Denied::UnknownPeer { uid: peer_uid });
        };
        let digest = token.digest();
        let mut found = None;
        // All of them, so that the time taken says nothing.
        for (known, grant) in &self.tokens {
            if bool::from(known.ct_eq(&digest)) {
                found = Some(grant);
            }
        }
        found.cloned().ok_or(Denied::WrongToken)
    }

    /// The names of those who may approve actions on `subject`, in order.
    pub fn approvers(&self, subject: &str) -> Vec<String> {
        let grants = self.peers.values().chain(self.tokens.iter().map(|(_, grant)| grant));
        let may = grants.filter(|grant| grant.principal.may(Role::Approver) && grant.subjects.covers(subject));
        let names: BTreeSet<_> = may.map(|grant| grant.principal.name.clone()).collect();
        names.into_iter().collect()
    }

    fn add_defaults(&mut self, own_uid: u32) {
        for uid in [0, own_uid] {
            self.peers.entry(uid).or_insert_with(|| Grant {
                principal: Principal {
                    name: if uid == 0 { "root".to_owned() } else { format!("uid:{uid}") },
                    role: Role::Admin,
                    identity: Identity::Peer { uid },
                },
                subjects: SubjectScope::All,
            });
        }
    }
}

/// Nothing of any token.
impl fmt::Debug for Principals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tokens: Vec<_> = self.tokens.iter().map(|(_, grant)| grant).collect();
        f.debug_struct("Principals").field("peers", &self.peers).field("tokens", &tokens).finish()
    }
}

fn named(
    name: &str,
    role: Role,
    identity: Identity,
    field: &impl Fn(&str) -> String,
) -> Result<Principal, PrincipalsError> {
    let fits = (1..=64).contains(&name.len()) && !name.chars().any(|c| c.is_control() || c.is_whitespace());
    if !fits {
        return Err(wrong(field("name"), "expected 1 to 64 bytes without spaces and control characters".into()));
    }
    if name.eq_ignore_ascii_case(RESERVED) {
        return Err(wrong(field("name"), format!("{RESERVED:?} is the name the operator itself acts under")));
    }
    Ok(Principal { name: name.to_owned(), role, identity })
}

fn scope(names: &[String], field: &impl Fn(&str) -> String) -> Result<SubjectScope, PrincipalsError> {
    if names.is_empty() || names.iter().any(String::is_empty) {
        return Err(wrong(field("subjects"), "expected names of subjects, or \"*\" for every one".into()));
    }
    if names.iter().any(|name| name == "*") {
        return Ok(SubjectScope::All);
    }
    Ok(SubjectScope::Only(names.iter().cloned().collect()))
}

pub(super) fn wrong(field: String, why: String) -> PrincipalsError {
    PrincipalsError { field, why }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::{PeerConfig, TokenConfig};

    const SECRET: &str = "a-token-of-some-length";

    fn no_env(_: &str) -> Option<String> {
        None
    }

    fn peer(uid: u32, name: &str, role: Role) -> PeerConfig {
        PeerConfig { uid, name: name.into(), role, subjects: None }
    }

    fn token(name: &str, role: Role, subjects: &[&str]) -> TokenConfig {
        let subjects = subjects.iter().map(|name| (*name).to_owned()).collect();
        TokenConfig { name: name.into(), role, subjects, token_file: None, token_env: Some(format!("TOKEN_{name}")) }
    }

    fn env(name: &str) -> Option<String> {
        name.starts_with("TOKEN_").then(|| format!("{SECRET}-{name}\n"))
    }

    fn shown(name: &str) -> Token {
        Token::new(format!("{SECRET}-TOKEN_{name}"))
    }

    #[test]
    fn only_root_and_the_operators_own_user_are_known_by_default() {
        let principals = Principals::new(&PrincipalsConfig::default(), 1000, &no_env).expect("nothing is wrong");
        for (uid, name) in [(0, "root"), (1000, "uid:1000")] {
            let grant = principals.establish(uid, None).expect("known");
            assert_eq!((grant.principal.name.as_str(), grant.principal.role), (name, Role::Admin));
            assert_eq!(grant.principal.identity, Identity::Peer { uid });
        }
        for uid in [1, 999, 1001, 65534, u32::MAX] {
            assert_eq!(principals.establish(uid, None), Err(Denied::UnknownPeer { uid }));
        }
    }

    #[test]
    fn a_user_that_is_named_has_the_role_they_are_named_with_even_the_operators_own() {
        let peers = vec![peer(1000, "ann", Role::Viewer), peer(7, "bob", Role::Approver)];
        let config = PrincipalsConfig { peers, tokens: Vec::new() };
        let principals = Principals::new(&config, 1000, &no_env).expect("nothing is wrong");
        let role = |uid| principals.establish(uid, None).map(|grant| grant.principal.role);
        assert_eq!(role(1000), Ok(Role::Viewer));
        assert_eq!(role(7), Ok(Role::Approver));
        assert_eq!(role(0), Ok(Role::Admin));
    }

    #[test]
    fn a_token_names_its_principal_whoever_shows_it_and_a_wrong_one_names_nobody() {
        let tokens = vec![token("carl", Role::Approver, &["a"]), token("dora", Role::Admin, &["*"])];
        let config = PrincipalsConfig { peers: Vec::new(), tokens };
        let principals = Principals::new(&config, 1000, &env).expect("nothing is wrong");
        for uid in [0, 1000, 4242] {
            let grant = principals.establish(uid, Some(&shown("carl"))).expect("known");
            assert_eq!((grant.principal.name.as_str(), grant.principal.role), ("carl", Role::Approver));
            assert_eq!(grant.principal.identity, Identity::Token);
            assert!(grant.subjects.covers("a") && !grant.subjects.covers("b"));
            for wrong in ["", "a-token-of-some-length", "a-token-of-some-length-TOKEN_carl "] {
                assert_eq!(principals.establish(uid, Some(&Token::new(wrong))), Err(Denied::WrongToken));
            }
        }
        assert_eq!(principals.approvers("a"), ["carl", "dora", "root", "uid:1000"]);
        assert_eq!(principals.approvers("b"), ["dora", "root", "uid:1000"]);
        assert!(!format!("{principals:?} {:?} {config:?}", shown("carl")).contains(SECRET));
    }

    #[test]
    fn nobody_can_be_the_operator_itself() {
        for name in ["operator", "Operator", "OPERATOR"] {
            let config = PrincipalsConfig { peers: vec![peer(7, name, Role::Admin)], tokens: Vec::new() };
            let error = Principals::new(&config, 1000, &no_env).expect_err("reserved");
            assert_eq!(error.field, "peers[0].name");
        }
        let config = PrincipalsConfig { peers: Vec::new(), tokens: vec![token("operator", Role::Admin, &["*"])] };
        assert_eq!(Principals::new(&config, 1000, &env).expect_err("reserved").field, "tokens[0].name");
    }

    #[test]
    fn a_key_that_is_wrong_is_named_and_its_secret_is_not() {
        let wrong = |config: &PrincipalsConfig, env: &dyn Fn(&str) -> Option<String>| {
            let error = Principals::new(config, 1000, env).expect_err("something is wrong");
            assert!(!error.to_string().contains(SECRET), "{error}");
            error.field
        };
        let peers = |peers| PrincipalsConfig { peers, tokens: Vec::new() };
        let tokens = |tokens| PrincipalsConfig { peers: Vec::new(), tokens };
        let (ann, bob) = (peer(7, "ann", Role::Viewer), peer(7, "bob", Role::Viewer));
        assert_eq!(wrong(&peers(vec![ann.clone(), bob]), &env), "peers[1].uid");
        assert_eq!(wrong(&peers(vec![peer(7, "a b", Role::Viewer)]), &env), "peers[0].name");
        assert_eq!(wrong(&peers(vec![PeerConfig { subjects: Some(vec![]), ..ann }]), &env), "peers[0].subjects");
        let carl = token("carl", Role::Viewer, &["a"]);
        assert_eq!(wrong(&tokens(vec![token("carl", Role::Viewer, &[])]), &env), "tokens[0].subjects");
        assert_eq!(wrong(&tokens(vec![carl.clone()]), &no_env), "tokens[0].token_env");
        assert_eq!(wrong(&tokens(vec![carl.clone()]), &|_| Some("short".into())), "tokens[0].token_env");
        assert_eq!(wrong(&tokens(vec![carl.clone()]), &|_| Some(format!("{SECRET} {SECRET}"))), "tokens[0].token_env");
        assert_eq!(wrong(&tokens(vec![TokenConfig { token_env: None, ..carl.clone() }]), &env), "tokens[0].token_file");
        let both = TokenConfig { token_file: Some("/dev/null".into()), ..carl.clone() };
        assert_eq!(wrong(&tokens(vec![both.clone()]), &env), "tokens[0].token_file");
        // A device would be read for ever.
        let device = TokenConfig { token_env: None, token_file: Some("/dev/zero".into()), ..both };
        assert_eq!(wrong(&tokens(vec![device]), &env), "tokens[0].token_file");
        let same = |_: &str| Some(SECRET.to_owned());
        assert_eq!(wrong(&tokens(vec![carl, token("dora", Role::Admin, &["*"])]), &same), "tokens[1].name");
    }

    #[test]
    fn a_token_is_read_from_a_file_of_its_own() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), format!("{SECRET}\n")).expect("written");
        let config = TokenConfig {
            token_env: None,
            token_file: Some(file.path().to_owned()),
            ..token("carl", Role::Viewer, &["*"])
        };
        let config = PrincipalsConfig { peers: Vec::new(), tokens: vec![config] };
        let principals = Principals::new(&config, 1000, &no_env).expect("nothing is wrong");
        assert!(principals.establish(5, Some(&Token::new(SECRET))).is_ok());
    }

    #[test]
    fn a_key_the_configuration_does_not_have_is_an_error() {
        for text in [
            r#"{"peer":[]}"#,
            r#"{"peers":[{"uid":1,"name":"a","role":"admin","rule":"x"}]}"#,
            r#"{"tokens":[{"name":"a","role":"admin","subjects":["*"],"token":"a-token-of-some-length"}]}"#,
            r#"{"tokens":[{"name":"a","role":"root","subjects":["*"],"token_env":"T"}]}"#,
            r#"{"tokens":[{"name":"a","role":"admin","token_env":"T"}]}"#,
        ] {
            let error = serde_json::from_str::<PrincipalsConfig>(text).expect_err(text).to_string();
            assert!(!error.contains(SECRET), "{error}");
        }
    }
}
