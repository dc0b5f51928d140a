import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { api } from "../bank";
import type { TraceLine } from "../client/types";

const LINES = 100;
const REFRESH_MS = 2000;

/** What was said lately between us and the modem; follows while it is open. */
export function Trace({ modemId }: { modemId: string }): JSX.Element {
  const [lines, setLines] = useState<TraceLine[] | null>(null);
  const [failed, setFailed] = useState("");
  const box = useRef<HTMLDivElement>(null);

  useEffect(() => {
    let open = true;
    const load = async (): Promise<void> => {
      try {
        const found = await api().trace(modemId, LINES);
        if (open) setLines(found);
        setFailed("");
      } catch (error) {
        setFailed(error instanceof Error ? error.message : "The trace could not be read.");
      }
    };
    void load();
    const timer = setInterval(() => void load(), REFRESH_MS);
    return () => {
      open = false;
      clearInterval(timer);
    };
  }, [modemId]);

  const last = lines?.at(-1)?.at;
  useEffect(() => {
    box.current?.scrollTo({ top: box.current.scrollHeight });
  }, [last]);

  return (
    <section class="part" aria-label="AT trace">
      <h3>AT trace</h3>
      <div class="trace" ref={box} tabIndex={0} data-testid="trace">
        {failed !== "" && <p class="muted">{failed}</p>}
        {lines?.length === 0 && <p class="muted">Nothing was said yet.</p>}
        {lines?.map((line, index) => (
          <div key={`${line.at}-${index}`} class="trace-line" data-out={line.out}>
            <time>{line.at.slice(11, 23)}</time>
            <span class="visually-hidden">{line.out ? "sent" : "received"}</span>
            <code>{line.text}</code>
          </div>
        ))}
      </div>
      <Console modemId={modemId} />
    </section>
  );
}

/** One AT command at a time; the server's allow-list decides, and its audit log remembers. */
function Console({ modemId }: { modemId: string }): JSX.Element {
  const [line, setLine] = useState("");
  const [answer, setAnswer] = useState<string | null>(null);
  const send = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (line.trim() === "") return;
    try {
      setAnswer((await api().at(modemId, line.trim())).join("\n"));
      setLine("");
    } catch (error) {
      setAnswer(error instanceof Error ? error.message : "The modem did not answer.");
    }
  };
  return (
    <form class="console" onSubmit={(event) => void send(event)}>
      <input
        value={line}
        placeholder="AT+CSQ"
        aria-label="AT command"
        autocomplete="off"
        spellcheck={false}
        onInput={(event) => setLine(event.currentTarget.value)}
      />
      <button type="submit" class="button small">
        Send
      </button>
      {answer !== null && <pre>{answer}</pre>}
    </form>
  );
}
