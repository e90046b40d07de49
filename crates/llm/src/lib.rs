//! A diagnoser over language models. The model investigates with read-only tools and answers in a closed schema; code
//! checks every claim against the evidence, and the reasoner's answer stands wherever the model's does not hold.
//!
//! 1. [`Provider`] is one wire format: it sends a [`Request`] and gives back a [`Reply`].

mod provider;

pub use provider::{Effort, Message, Piece, Provider, ProviderError, Reply, Request, Stop, ToolChoice, ToolDefinition};
