//! One file per instruction.
mod approve;
mod close_proposal;
mod create_proposal;
mod execute;
mod init_treasury;
mod set_members;

pub use {approve::*, close_proposal::*, create_proposal::*, execute::*, init_treasury::*, set_members::*};
