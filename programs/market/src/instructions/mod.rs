//! One file per instruction.
mod crank_order;
mod create_margin;
mod create_market;
mod deposit_collateral;
mod deposit_liquidity;
mod distribute_fees;
mod finalise_window;
mod init_exchange;
mod init_pool;
mod liquidate;
mod open_window;
mod quote;
mod set_operator;
mod set_params;
mod set_pause;
mod settle_position;
mod submit_order;
mod withdraw_collateral;
mod withdraw_liquidity;

pub use {
    crank_order::*, create_margin::*, create_market::*, deposit_collateral::*, deposit_liquidity::*,
    distribute_fees::*, finalise_window::*, init_exchange::*, init_pool::*, liquidate::*, open_window::*, quote::*,
    set_operator::*, set_params::*, set_pause::*, settle_position::*, submit_order::*, withdraw_collateral::*,
    withdraw_liquidity::*,
};
