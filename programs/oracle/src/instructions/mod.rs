//! One file per instruction.
mod accept_authority;
mod close_feed;
mod create_feed;
mod finalise_feed;
mod grow_feed;
mod init_config;
mod migrate_config;
mod open_bond;
mod post_bond;
mod propose_authority;
mod push_quote;
mod record_score;
mod register_methodology;
mod register_publisher_set;
mod request_bond_release;
mod retire_methodology;
mod retire_publisher_set;
mod revoke_operator;
mod set_hold;
mod set_operator;
mod set_params;
mod slash_bond;
mod withdraw_bond;

pub use {
    accept_authority::*, close_feed::*, create_feed::*, finalise_feed::*, grow_feed::*, init_config::*,
    migrate_config::*, open_bond::*, post_bond::*, propose_authority::*, push_quote::*, record_score::*,
    register_methodology::*, register_publisher_set::*, request_bond_release::*, retire_methodology::*,
    retire_publisher_set::*, revoke_operator::*, set_hold::*, set_operator::*, set_params::*, slash_bond::*,
    withdraw_bond::*,
};
