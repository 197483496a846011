//! Layouts frozen at compile time: offsets from the end of the discriminator. Fields of long-lived accounts are only
//! ever appended.
use core::mem::{offset_of, size_of};

use super::{Proposal, ProposalAccount, SpendingLimit, Treasury};

macro_rules! frozen {
    ($account:ty, $size:literal: $($field:ident $offset:literal),+) => {
        const _: () = {
            assert!(size_of::<$account>() == $size);
            $(assert!(offset_of!($account, $field) == $offset);)+
        };
    };
}

frozen!(Treasury, 752: version 0, bump 1, executor_bump 2, fees_bump 3, n_members 4, threshold 5, members_epoch 8,
    next_id 16, min_delay_s 24, create_key 32, executor 64, fees 96, members 128, guarded_exchange 384, receivers 416,
    shares_bps 672, n_receivers 688);
frozen!(Proposal, 2032: version 0, bump 1, class 2, status 3, approvals 4, n_accounts 5, data_len 6, id 8,
    members_epoch 16, created_unix 24, expires_unix 32, treasury 40, creator 72, rent_payer 104, program_id 136,
    content_hash 168, activated_unix 200, rejections 208, accounts 216, data 1008);
frozen!(ProposalAccount, 33: address 0, flags 32);
frozen!(SpendingLimit, 664: version 0, bump 1, n_members 2, n_receivers 3, id 8, amount 16, period_s 24,
    period_start_unix 32, left 40, spent 48, treasury 56, mint 88, rent_payer 120, members 152, receivers 408);

/// What stands before the fields added after the first version is what the first version wrote.
const _: () = assert!(8 + offset_of!(Treasury, guarded_exchange) == Treasury::FIRST_LEN);
