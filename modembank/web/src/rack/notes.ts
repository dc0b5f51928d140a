import type { Modem, Sim } from "../client/types";

export interface Note {
  text: string;
  /** Somebody should act. */
  urgent: boolean;
}

const STEPS_WAIT = new Set(["opening", "starting", "searching"]);

/** What to know of a row beside its state, the most urgent first; null when all is well. */
export function noteOf(modem: Modem | null, sim: Sim | null): Note | null {
  const urgent = (text: string): Note => ({ text, urgent: true });
  if (sim !== null && sim.forwarding !== null && sim.forwarding.length > 0) return urgent("Calls are forwarded");
  if (modem === null) return null;
  if (modem.healing !== null && modem.healing.detail !== "") return urgent(capital(modem.healing.detail));
  if (modem.state === "sim_locked" && sim?.lock != null) return urgent(lockWords(sim.lock.kind, sim));
  if (modem.registration.startsWith("roaming")) return { text: "Roaming", urgent: false };
  if (modem.state_detail === "" || modem.state === "lost") return null;
  return { text: capital(reasonOf(modem)), urgent: !STEPS_WAIT.has(modem.state) && modem.state !== "ready" };
}

/** The sentence about the state; of a refusal only the network's reason, as the state says the rest. */
function reasonOf({ state, state_detail }: Modem): string {
  return state === "denied" ? state_detail.replace(/^[^:]*: /, "") : state_detail;
}

function lockWords(kind: string, sim: Sim): string {
  if (kind !== "pin" && kind !== "puk") return capital(sim.state_detail);
  const left = kind === "pin" ? sim.lock?.pin_left : sim.lock?.puk_left;
  if (left == null) return "Tries left are not told";
  return left === 1 ? "1 try left" : `${left} tries left`;
}

/** Whether, and where, calls are sent elsewhere; empty when the network was never asked. */
export function forwardingWords(sim: Sim): string {
  if (sim.forwarding === null) return "";
  if (sim.forwarding.length === 0) return "none";
  return sim.forwarding.map(({ reason, number }) => `${reason.replaceAll("_", " ")}: ${number ?? "number not told"}`).join(", ");
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
