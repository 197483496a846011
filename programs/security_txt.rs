// Included by each program's `lib.rs`: the block that explorers look for in a program's binary (format of the
// `solana-security-txt` crate), saying whom to tell about a hole. The project has no public address of its own, and
// this file invents none: who deploys fills in `contact` and `project`, builds, and publishes the new hashes
// (docs/security.md, "Before a deployment").

macro_rules! contact {
    () => {
        "other:the operator of this deployment has named no contact"
    };
}
macro_rules! project {
    () => {
        "none"
    };
}

#[cfg(not(feature = "no-entrypoint"))] // not in the programs that use this one as a library
mod security_txt {
    const TEXT: &str = concat!(
        "=======BEGIN SECURITY.TXT V1=======\0",
        "name\0Futstar ",
        env!("CARGO_PKG_NAME"),
        "\0project_url\0",
        project!(),
        "\0contacts\0",
        contact!(),
        "\0",
        "policy\0docs/security.md\0",
        "preferred_languages\0en\0",
        "source_code\0programs/",
        env!("CARGO_PKG_NAME"),
        "\0source_release\0",
        env!("CARGO_PKG_VERSION"),
        "\0auditors\0None: not audited\0",
        "=======END SECURITY.TXT V1=======\0"
    );

    /// The text as one array: a static without a pointer to resolve.
    const fn bytes<const N: usize>(text: &str) -> [u8; N] {
        let (from, mut to, mut i) = (text.as_bytes(), [0; N], 0);
        while i < N {
            to[i] = from[i];
            i += 1;
        }
        to
    }

    #[used]
    static BLOCK: [u8; TEXT.len()] = bytes(TEXT);
}
