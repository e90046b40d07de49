//! The binary as people and scripts meet it.

mod acceptance;
mod command_line;
mod operator;
mod output;
mod running;
