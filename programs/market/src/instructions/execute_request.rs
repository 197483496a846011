use anchor_lang::{prelude::*, programs::Token};
use anchor_spl::{token::TokenCpiExt, Mint, TokenAccount};

use crate::{
    constants::*,
    errors::MarketError,
    events::{emit, LiquidityChanged},
    state::{credit, debit, math, Exchange, LpRequest, Pool},
    tokens::pay,
};

/// Accounts of `execute_request`.
#[event_cpi]
#[derive(Accounts)]
pub struct ExecuteRequest {
    /// Gets the tip; may be anybody.
    #[account(unsafe(dup))]
    pub executor: Signer,
    #[account(address = pool.exchange @ MarketError::WrongAccount)]
    pub exchange: Account<Exchange>,
    #[account(mut, address = request.pool @ MarketError::WrongAccount)]
    pub pool: Account<Pool>,
    #[account(mut, address = exchange.vault @ MarketError::WrongAccount)]
    pub vault: Account<TokenAccount>,
    #[account(mut, address = exchange.lp_mint @ MarketError::WrongAccount)]
    pub lp_mint: Account<Mint>,
    #[account(mut, seeds = [b"lp-escrow", exchange.address().as_ref()], bump = pool.lp_escrow_bump)]
    pub lp_escrow: Account<TokenAccount>,
    /// CHECK: the address stored in the request; paid only if it is a token account that takes the payment.
    #[account(mut, address = request.destination @ MarketError::WrongAccount)]
    pub destination: UncheckedAccount,
    #[account(mut)]
    pub request: Account<LpRequest>,
    /// CHECK: compared with the address stored in the request.
    #[account(unsafe(dup), address = request.rent_payer @ MarketError::WrongAccount)]
    pub rent_payer: UncheckedAccount,
    pub token_program: Program<Token>,
}

/// What an executed request moved.
struct Moved {
    tokens_e6: u64,
    shares: u64,
    value_e6: u64,
}

/// 1. Needs the cooldown over, not for longer than `LP_REQUEST_LIFE_S`, and, while positions are open, a mark of every
///    live window made in this slot, of a sample from after the request.
/// 2. Deposit: tokens become cash, shares are minted at cash + traders' losses + the fees that wait.
/// 3. Withdrawal: shares are burnt for their part of cash - traders' gains, as far as the reservations leave it.
/// 4. Closes the request: rent to its payer, tip to the executor. Where its destination cannot be paid the request
///    stays and holds what its owner then takes with `cancel_request`: nobody stops its execution.
///
/// The last shares get all cash, but only while nothing is at stake: what a live window leaves must belong to somebody.
pub fn execute_request(ctx: &mut Context<ExecuteRequest>) -> Result<()> {
    let clock = Clock::get()?;
    let a = &mut ctx.accounts;
    let deposit = a.request.kind == LP_DEPOSIT;
    a.exchange.allows(if deposit { PAUSE_ACTIVE } else { PAUSE_NO_NEW_ORDERS }, &clock)?;
    require!(clock.unix_timestamp >= a.request.ready_unix as i64, MarketError::CoolingDown);
    require!(a.request.held == 0 && !a.request.over(&clock), MarketError::RequestOver);
    a.pool.require_marks(a.request.marks_from_ms, clock.slot)?;

    let (cash_before, supply_before) = (a.pool.cash_e6, a.lp_mint.supply());
    let mut receiver = receiver(a, deposit)?;
    let held = receiver.is_none();
    let moved = match deposit {
        true => buy(a, supply_before, receiver.as_mut())?,
        false => redeem(a, supply_before, receiver.as_mut())?,
    };
    a.pool.invariant_vault(a.vault.amount())?;

    let event = LiquidityChanged {
        owner: a.request.owner,
        deposit: deposit as u8,
        amount_e6: moved.tokens_e6,
        shares: moved.shares,
        cash_before,
        cash_after: a.pool.cash_e6,
        supply_before,
        supply_after: a.lp_mint.supply(),
        value_e6: moved.value_e6,
        held: held as u8,
    };
    let tip = a.request.tip_lamports;
    a.request.sub_lamports(tip)?;
    a.executor.add_lamports(tip)?;
    if held {
        a.request.held = 1;
        a.request.tip_lamports = 0;
        a.request.kind = if deposit { LP_WITHDRAWAL } else { LP_DEPOSIT };
        a.request.amount = if deposit { moved.shares } else { moved.tokens_e6 };
    } else {
        a.pool.lp_requests -= 1;
        a.request.close(*a.rent_payer.account())?;
    }
    emit!(ctx, event);
    Ok(())
}

/// The account that the request names, if the token program will pay into it; its owner may have closed it by now.
fn receiver(a: &ExecuteRequest, deposit: bool) -> Result<Option<Account<TokenAccount>>> {
    let view = *a.destination.account();
    let mint = if deposit { a.exchange.lp_mint } else { a.exchange.collateral_mint };
    // SAFETY: it is none of the other accounts: no two writable ones are the same.
    let found = unsafe { Account::<TokenAccount>::load_mut(view) };
    Ok(found.ok().filter(|account| *account.mint() == mint && !account.is_frozen()))
}

/// Turn the waiting tokens into cash and mint their shares.
fn buy(a: &mut ExecuteRequest, supply: u64, receiver: Option<&mut Account<TokenAccount>>) -> Result<Moved> {
    let tokens_e6 = a.request.amount;
    let value_e6 = a.pool.deposit_value_e6(&a.exchange)?;
    let shares = math(model::shares_for_deposit(tokens_e6, value_e6, supply))?;
    require!(shares > 0, MarketError::TooSmall);
    require!(shares >= a.request.minimum, MarketError::Slippage);
    debit(&mut a.pool.claimable_e6, tokens_e6)?;
    credit(&mut a.pool.cash_e6, tokens_e6)?;
    let (exchange, bump) = (*a.exchange.address(), [a.pool.bump]);
    let signer: &[&[u8]] = &[b"pool", exchange.as_ref(), &bump];
    let receiver = receiver.unwrap_or(&mut a.lp_escrow);
    a.token_program.mint_to(&mut a.lp_mint, receiver, &a.pool, &[signer], shares)?;
    Ok(Moved { tokens_e6, shares, value_e6 })
}

/// Burn the waiting shares and pay their part.
fn redeem(a: &mut ExecuteRequest, supply: u64, receiver: Option<&mut Account<TokenAccount>>) -> Result<Moved> {
    let shares = a.request.amount;
    let value_e6 = a.pool.withdrawal_value_e6();
    let last = shares == supply;
    require!(!last || a.pool.live_windows == 0, MarketError::LastShares);
    // The virtual shares' part would stay behind for ever: nobody is left who could be diluted.
    let tokens_e6 = match last {
        true => value_e6,
        false => math(model::amount_for_shares(shares, value_e6, supply))?,
    };
    require!(tokens_e6 > 0, MarketError::TooSmall);
    require!(tokens_e6 >= a.request.minimum, MarketError::Slippage);
    debit(&mut a.pool.cash_e6, tokens_e6)?;
    require!(a.pool.reservations_fit(&a.exchange, a.pool.cash_e6), MarketError::PoolBusy);
    let (exchange, bump) = (*a.exchange.address(), [a.pool.bump]);
    let signer: &[&[u8]] = &[b"pool", exchange.as_ref(), &bump];
    a.token_program.burn(&mut a.lp_escrow, &mut a.lp_mint, &a.pool, &[signer], shares)?;
    match receiver {
        Some(receiver) => pay(&a.token_program, &mut a.vault, receiver, &a.pool, tokens_e6)?,
        None => credit(&mut a.pool.claimable_e6, tokens_e6)?,
    }
    Ok(Moved { tokens_e6, shares, value_e6 })
}
