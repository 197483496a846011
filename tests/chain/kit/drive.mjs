// Drives a localnet the way a wallet would: `node drive.mjs http://host:rpc ws://host:ws`. Prints one JSON object.
import {
  AccountRole,
  address,
  airdropFactory,
  appendTransactionMessageInstruction,
  createSolanaRpc,
  createSolanaRpcSubscriptions,
  createTransactionMessage,
  generateKeyPairSigner,
  getSignatureFromTransaction,
  isSolanaError,
  lamports,
  pipe,
  sendAndConfirmTransactionFactory,
  setTransactionMessageFeePayerSigner,
  setTransactionMessageLifetimeUsingBlockhash,
  signTransactionMessageWithSigners,
} from '@solana/kit';

const [rpcUrl, wsUrl] = process.argv.slice(2);
const rpc = createSolanaRpc(rpcUrl);
const rpcSubscriptions = createSolanaRpcSubscriptions(wsUrl);
const SYSTEM = address('11111111111111111111111111111111');
const SOL = 1_000_000_000n;

function transferOf(from, to, amount) {
  const data = new Uint8Array(12);
  const view = new DataView(data.buffer);
  view.setUint32(0, 2, true);
  view.setBigUint64(4, amount, true);
  return {
    programAddress: SYSTEM,
    accounts: [
      { address: from.address, role: AccountRole.WRITABLE_SIGNER, signer: from },
      { address: to, role: AccountRole.WRITABLE },
    ],
    data,
  };
}

async function signed(payer, instruction, version) {
  const { value: blockhash } = await rpc.getLatestBlockhash({ commitment: 'confirmed' }).send();
  const message = pipe(
    createTransactionMessage({ version }),
    (m) => setTransactionMessageFeePayerSigner(payer, m),
    (m) => setTransactionMessageLifetimeUsingBlockhash(blockhash, m),
    (m) => appendTransactionMessageInstruction(instruction, m),
  );
  return signTransactionMessageWithSigners(message);
}

const payer = await generateKeyPairSigner();
const friend = await generateKeyPairSigner();
const report = {};

await airdropFactory({ rpc, rpcSubscriptions })({
  recipientAddress: payer.address,
  lamports: lamports(2n * SOL),
  commitment: 'confirmed',
});
report.airdrop = String((await rpc.getBalance(payer.address, { commitment: 'confirmed' }).send()).value);

const abort = new AbortController();
const accountEvents = await rpcSubscriptions
  .accountNotifications(friend.address, { commitment: 'confirmed', encoding: 'base64' })
  .subscribe({ abortSignal: abort.signal });
const slotEvents = await rpcSubscriptions.slotNotifications().subscribe({ abortSignal: abort.signal });

// kit keeps events only from the moment somebody asks for them.
const notified = accountEvents[Symbol.asyncIterator]().next();
const slotSeen = slotEvents[Symbol.asyncIterator]().next();

const sendAndConfirm = sendAndConfirmTransactionFactory({ rpc, rpcSubscriptions });
const transaction = await signed(payer, transferOf(payer, friend.address, SOL / 2n), 0);
await sendAndConfirm(transaction, { commitment: 'confirmed' });
const signature = getSignatureFromTransaction(transaction);

report.notified = String((await notified).value.value.lamports);
const slot = (await slotSeen).value;
report.slotAhead = slot.slot > slot.root;
abort.abort();

const found = await rpc
  .getTransaction(signature, { commitment: 'confirmed', encoding: 'jsonParsed', maxSupportedTransactionVersion: 0 })
  .send();
report.parsed = found.transaction.message.instructions[0].parsed.type;
report.fee = String(found.meta.fee);
report.version = found.version;
const statuses = await rpc.getSignatureStatuses([signature]).send();
report.status = statuses.value[0].confirmationStatus;

const legacy = await signed(payer, transferOf(payer, friend.address, 1_000_000n), 'legacy');
await sendAndConfirm(legacy, { commitment: 'confirmed' });
report.friend = String((await rpc.getBalance(friend.address, { commitment: 'confirmed' }).send()).value);

try {
  await sendAndConfirm(await signed(payer, transferOf(payer, friend.address, 100n * SOL), 0), {
    commitment: 'confirmed',
  });
  report.error = 'none';
} catch (error) {
  report.error = isSolanaError(error) ? error.name : String(error);
  report.cause = String(error.cause ?? error);
  report.logs = error.context?.logs ?? [];
}

const last = await signed(payer, transferOf(payer, friend.address, 1_000_000n), 0);
await sendAndConfirm(last, { commitment: 'finalized' });
report.finalized = (await rpc.getSignatureStatuses([getSignatureFromTransaction(last)]).send()).value[0]
  .confirmationStatus;

console.log(JSON.stringify(report));
process.exit(0);
