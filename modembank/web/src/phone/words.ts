import { isActive } from "../client/machine";
import type { SessionSnapshot } from "../client/session";
import { formatDuration } from "../format";
import { endWords, troubleWords } from "../words";

/** The phone's state as a person would say it: a headline and, below, what else matters now. */
export interface Saying {
  title: string;
  detail: string;
}

/** `allSims` is null while the lists are still on their way. */
export function say(phone: SessionSnapshot, readySims: number, allSims: number | null): Saying {
  if (phone.hangingUp && isActive(phone.state)) return { title: "Hanging up…", detail: "" };
  switch (phone.state) {
    case "idle":
      return idle(readySims, allSims);
    case "connecting":
      return { title: phone.direction === "inbound" ? "Answering…" : "Connecting…", detail: "" };
    case "dialing":
      return { title: "Calling…", detail: soundDetail(phone) };
    case "ringing":
      return { title: "Ringing", detail: soundDetail(phone) || "Their phone rings" };
    case "in_progress":
      return { title: phone.held ? "On hold" : "Connected", detail: soundDetail(phone) };
    case "ended":
      return ended(phone);
  }
}

function idle(readySims: number, allSims: number | null): Saying {
  if (allSims === null) return { title: "One moment…", detail: "Asking the bank for its SIMs" };
  if (allSims === 0) return { title: "No SIM yet", detail: "Plug in a modem with a SIM" };
  if (readySims === 0) return { title: "No SIM is ready", detail: `${allSims} known, see the rack` };
  return { title: "Ready to call", detail: `${readySims} of ${allSims} SIMs ready` };
}

/** What is to be said about the sound, the worst first. */
function soundDetail(phone: SessionSnapshot): string {
  const media = phone.call?.media;
  if (phone.transport === "lost" || media === "lost") return "Sound lost, reconnecting…";
  if (media === "silent") return "The bank hears nothing from this browser";
  if (phone.held) return "They cannot hear you";
  if (phone.state !== "in_progress") return phone.call?.early_media === true ? "You hear the network; not answered yet" : "";
  if (phone.transport === "new") return "Connecting the sound…";
  return "";
}

function ended(phone: SessionSnapshot): Saying {
  if (phone.call !== null) {
    const { duration_s } = phone.call;
    const detail = duration_s > 0 ? `Talked ${formatDuration(duration_s)}` : "";
    return { title: endWords(phone.call, true), detail };
  }
  if (phone.trouble !== null) {
    const { title, help } = troubleWords(phone.trouble);
    return { title, detail: help };
  }
  return { title: "Cancelled", detail: "Nothing was dialled" };
}
