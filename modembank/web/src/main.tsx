import { render } from "preact";
import { App } from "./app";
import { isRemembered, keyOfAddress, signIn, storedKey } from "./bank";
import { wakeSound } from "./phone/sounds";
import "./styles/base.css";
import "./styles/phone.css";
import "./styles/board.css";
import "./styles/messages.css";

function signInByLink(): boolean {
  const key = keyOfAddress();
  if (key !== null) void signIn(key, false);
  return key !== null;
}

function start(): void {
  const key = signInByLink() ? null : storedKey();
  if (key !== null) void signIn(key, isRemembered());
}

const root = document.getElementById("app");
if (root !== null) {
  start();
  render(<App />, root);
  window.addEventListener("hashchange", signInByLink);
  // Sound needs a first touch; an incoming call should find it done.
  window.addEventListener("pointerdown", wakeSound, { once: true });
}
