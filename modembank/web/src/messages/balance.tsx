import type { JSX } from "preact";
import type { Sim } from "../client/types";
import { formatAgo } from "../format";
import { info } from "../store";
import { Icon } from "../ui/icons";
import { halfMinute } from "../ui/ticker";
import { balanceBusy, balanceRefusal, chosenSim, hasBalanceRule, refreshBalance } from "./session";
import { balanceWords } from "./words";

/** What is left on the SIM that the USSD box has chosen. */
export function Balance(): JSX.Element {
  const sim = chosenSim.value;
  return (
    <section class="ussd" aria-label="Balance" data-testid="balance">
      <h2>Balance</h2>
      {sim === null ? <p class="hint">{hint()}</p> : <OfSim sim={sim} />}
      {sim !== null && balanceRefusal.value !== null && (
        <p class="alert" role="alert">
          <Icon name="warning" />
          <span>
            {balanceRefusal.value.title}
            {balanceRefusal.value.help !== "" && <small>{balanceRefusal.value.help}</small>}
          </span>
        </p>
      )}
    </section>
  );
}

function hint(): string {
  return (info.value?.balance_plmns ?? []).length === 0
    ? "The server's setting balance.rules tells no way to read a balance."
    : "Choose one SIM above to see what is left on it.";
}

function OfSim({ sim }: { sim: Sim }): JSX.Element {
  const { balance } = sim;
  if (balance === null && !hasBalanceRule(sim)) {
    return <p class="hint">The server's setting balance.rules has no rule for the operator of this SIM.</p>;
  }
  return (
    <div class="balance">
      <p>
        {balance === null ? (
          <span class="muted">Not read yet</span>
        ) : (
          <>
            <strong data-testid="balance-amount">{balanceWords(balance)}</strong>
            <small class="muted">{asOf(balance.at)}</small>
          </>
        )}
      </p>
      {hasBalanceRule(sim) && (
        <button
          type="button"
          class="button small"
          disabled={balanceBusy.value}
          data-testid="balance-refresh"
          onClick={() => void refreshBalance(sim)}
        >
          <Icon name="refresh" size={16} />
          {balanceBusy.value ? "Asking…" : "Refresh"}
        </button>
      )}
    </div>
  );
}

function asOf(at: string): string {
  const ago = formatAgo(at, halfMinute.value);
  return ago === "now" ? "read just now" : `read ${ago} ago`;
}
