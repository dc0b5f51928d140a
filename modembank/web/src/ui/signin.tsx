import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { isRemembered, keyState, signIn, signInAgain } from "../bank";
import { Icon, Logo } from "./icons";

const MESSAGES = {
  refused: "This key is not valid, or it was revoked. Please enter another one.",
  unreachable: "The server does not answer. Is it running?",
} as const;

/** The first thing a visitor without a key sees. */
export function SignIn(): JSX.Element {
  const [key, setKey] = useState("");
  const [keep, setKeep] = useState(isRemembered());
  const state = keyState.value;
  const submit = (event: Event): void => {
    event.preventDefault();
    if (key.trim() !== "") void signIn(key.trim(), keep);
  };
  if (state === "checking") {
    return (
      <main class="signin" aria-busy="true">
        <Logo />
        <p class="muted">Connecting…</p>
      </main>
    );
  }
  return (
    <main class="signin">
      <form class="card signin-card" onSubmit={submit} data-testid="signin">
        <div class="signin-brand">
          <Logo />
          <h1>modembank</h1>
        </div>
        <p class="muted">Enter the API key that the server printed when it first started.</p>
        {(state === "refused" || state === "unreachable") && (
          <p class="alert" role="alert">
            <Icon name="warning" />
            {MESSAGES[state]}
          </p>
        )}
        <input type="text" autocomplete="username" value="modembank" readOnly hidden />
        <label class="field">
          <span>API key</span>
          <input
            type="password"
            autocomplete="current-password"
            placeholder="mbk_…"
            spellcheck={false}
            value={key}
            onInput={(event) => setKey(event.currentTarget.value)}
            data-testid="api-key"
            autofocus
          />
        </label>
        <label class="check">
          <input type="checkbox" checked={keep} onChange={(event) => setKeep(event.currentTarget.checked)} />
          Remember on this computer
        </label>
        <div class="row-buttons">
          <button type="submit" class="button primary" disabled={key.trim() === ""} data-testid="signin-go">
            Sign in
          </button>
          {state === "unreachable" && (
            <button type="button" class="button" onClick={() => void signInAgain(keep)}>
              Try again
            </button>
          )}
        </div>
        <p class="hint">
          A new key: <code>modembank keys create</code>
        </p>
      </form>
    </main>
  );
}
