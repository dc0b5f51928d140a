import { render } from "preact";
import { App } from "./app";
import { isRemembered, keyOfAddress, signIn, storedKey } from "./bank";
import { wakeSound } from "./phone/sounds";
import "./styles/base.css";
import "./styles/phone.css";
import "./styles/board.css";

function start(): void {
  const fromLink = keyOfAddress();
  const key = fromLink ?? storedKey();
  if (key !== null) void signIn(key, fromLink === null && isRemembered());
}

const root = document.getElementById("app");
if (root !== null) {
  start();
  render(<App />, root);
  window.addEventListener("hashchange", start);
  // Sound needs a first touch; an incoming call should find it done.
  window.addEventListener("pointerdown", wakeSound, { once: true });
}
