"""Whether everything that was broken was also counted by someone: no fault may be swallowed in silence.

Where the product can see a fault it must count exactly as many as the ledger holds. Where some go unseen for a reason
(the process died over the answer; the document was never looked into) the bound says how many at most.
"""

from __future__ import annotations

from ingest.twin.faults import Fault
from tests.chaos.match import Match

EMPTY = "statsbomb_not_a_match"
"""What StatsBomb's list is before anything happened."""
STATUSES = (500, 502, 503, 504)


def unaccounted(match: Match) -> list[str]:
    """A sentence for each kind of fault whose count by the product is not what the ledger says."""
    faults = match.ledger.counts()
    faults.subtract(match.transport.abandoned)
    net, session, lives = match.accounts.network, match.accounts.session, match.accounts.lives
    pushed = match.fixture.push
    # A document that comes too close to a push is fetched again and not looked into.
    unread = net["document_unsettled"] if pushed else 0
    pairs = {
        "429": (faults[Fault.RATE_LIMITED], net["status_429"], 0),
        "5xx": (faults[Fault.SERVER_ERROR], sum(net[f"status_{status}"] for status in STATUSES), 0),
        "time-outs": (faults[Fault.TIMED_OUT], net["timeout"], 0),
        "cut bodies": (faults[Fault.CONNECTION_CUT], net["half_body"], 0),
        "empty, cut and foreign bodies": (
            faults[Fault.EMPTY_BODY] + faults[Fault.HTML_PAGE] + faults[Fault.BYTES_CUT],
            net["document_refused"] + session["broken"] - session["other_match"] - session[EMPTY],
            unread,
        ),
    }
    if match.script.adapter.name != "statsbomb":  # whose events do not name their match: their teams tell
        pairs["documents of other matches"] = (faults[Fault.WRONG_MATCH], session["other_match"], unread)
    if pushed:
        lines = lives + match.accounts.arrivals["lost"]
        # A garbled message that is the last of its line is cut with it; a death hides one more.
        pairs["garbled messages"] = (faults[Fault.GARBLED], net["push_dropped"], lines)
        pairs["silences"] = (faults[Fault.HEARTBEATS_LOST], net["heartbeat_lost"], lives)
        cuts = faults[Fault.STREAM_CUT]
        pairs["cut lines"] = (cuts, min(cuts, match.accounts.arrivals["lost"]), lives)
    wrong = [
        f"{injected} {name} were injected, {counted} counted"
        for name, (injected, counted, unseen) in pairs.items()
        if not injected - unseen <= counted <= injected
    ]
    strange = faults[Fault.UNKNOWN_TYPE] - unread  # each in a dozen rows; a deleted row's type is not read
    if session["unknown_type"] < 0.9 * strange:
        wrong.append(f"{strange} documents had unknown types, {session['unknown_type']} rows were counted")
    if not pushed and match.twin.impatient >= lives:  # only a new process may not know how long to wait
        wrong.append(f"{match.twin.impatient} requests came before Retry-After in {lives} lives")
    return wrong
