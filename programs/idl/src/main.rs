//! Prints the IDL of the program whose crate folder is the first argument.
use std::{env, path::PathBuf};

use anchor_lang_idl::build::IdlBuilder;
use anyhow::{Context, Result};

fn main() -> Result<()> {
    let program = env::args_os().nth(1).context("usage: build-idl <program folder>")?;
    let idl = IdlBuilder::new()
        .program_path(PathBuf::from(program))
        .cargo_args(vec!["--lib".into(), "--locked".into()])
        .build()?;
    println!("{}", serde_json::to_string_pretty(&idl)?);
    Ok(())
}
