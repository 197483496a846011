//! One file per instruction.
mod close_feed;
mod create_feed;
mod finalise_feed;
mod grow_feed;
mod init_config;
mod push_quote;
mod set_operator;

pub use {
    close_feed::*, create_feed::*, finalise_feed::*, grow_feed::*, init_config::*, push_quote::*, set_operator::*,
};
