//! The query client and the bounded body against servers that answer well, wrongly, by halves, too much and never.

mod body;
mod http;
mod query;
mod raw_server;
