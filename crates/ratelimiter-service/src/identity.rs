//! Who a node is: its configured id, and a boot id that no other start of it has.

use std::fmt::Write as _;

use rand::TryRng;

/// The identity of one start of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The configured id.
    pub node_id: String,
    /// 12 random hex digits, new at every start.
    pub boot_id: String,
    /// `node@boot`: how the log in Redis names it.
    pub writer: String,
}

impl Identity {
    /// A new boot of this node.
    ///
    /// # Errors
    /// The operating system gives no randomness.
    pub fn new_boot(node_id: &str) -> std::io::Result<Self> {
        let mut random = [0_u8; 6];
        rand::rngs::SysRng.try_fill_bytes(&mut random).map_err(std::io::Error::other)?;
        let mut boot_id = String::new();
        for byte in random {
            let _ = write!(boot_id, "{byte:02x}");
        }
        let writer = format!("{node_id}@{boot_id}");
        Ok(Self { node_id: node_id.to_owned(), boot_id, writer })
    }
}
