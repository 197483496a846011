//! Events, emitted by self-CPI: they cannot be cut like log lines. Accounts are the truth.
use anchor_lang::prelude::*;

/// A proposal is frozen and collects approvals: from here its delay counts and watchers can act.
#[event]
pub struct ProposalActivated {
    pub proposal: Address,
    pub treasury: Address,
    pub creator: Address,
    pub program_id: Address,
    pub id: u64,
    pub class: u8,
    /// See `Proposal::content_hash`.
    pub content_hash: [u8; 32],
    pub expires_unix: u64,
}

/// A listed member paid a listed receiver out of a spending limit.
#[event]
pub struct LimitUsed {
    pub limit: Address,
    pub treasury: Address,
    pub member: Address,
    pub receiver: Address,
    pub amount: u64,
    /// What is left in this period.
    pub left: u64,
}

/// The fee vault was split among the receivers.
#[event]
pub struct VaultDistributed {
    pub treasury: Address,
    /// Paid out in all.
    pub paid: u64,
    /// Stays in the vault.
    pub rest: u64,
}
