import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { keyState } from "./bank";
import { CallDetails } from "./calls/details";
import { LiveCalls, RecentCalls } from "./calls/calls";
import type { StreamState } from "./client/events";
import { MessageDetails } from "./messages/details";
import { newestMessages, unseen } from "./messages/inbox";
import { Messages } from "./messages/messages";
import { PhoneCard } from "./phone/card";
import { Incoming, LeftBehind } from "./phone/incoming";
import { listenToKeys } from "./phone/keys";
import { Speaker } from "./phone/speaker";
import { view, type View } from "./phone/view";
import { isDark, toggleTheme } from "./preferences";
import { Details } from "./rack/details";
import { Rack, RackTools } from "./rack/rack";
import { rackCounts } from "./rack/rows";
import { liveCalls, notice, recentCalls, stream } from "./store";
import { Icon, Logo, type IconName } from "./ui/icons";
import { Settings, settingsOpen } from "./ui/settings";
import { SignIn } from "./ui/signin";

export function App(): JSX.Element {
  if (keyState.value !== "valid") return <SignIn />;
  return <Desk />;
}

function Desk(): JSX.Element {
  useEffect(listenToKeys, []);
  return (
    <div class="app" data-view={view.value}>
      <Header />
      <main class="layout">
        <div class="phone-pane">
          <Incoming />
          <LeftBehind />
          <PhoneCard />
        </div>
        <div class="board">
          <LiveCalls />
          <section class="card tables" data-shows={shownTable()}>
            <BoardTabs />
            <Table />
          </section>
        </div>
      </main>
      <TabBar />
      <Speaker />
      <Details />
      <CallDetails />
      <MessageDetails />
      <Settings />
      <Notice />
    </div>
  );
}

function shownTable(): "rack" | "calls" | "messages" {
  return view.value === "phone" ? "rack" : view.value;
}

function Table(): JSX.Element {
  switch (shownTable()) {
    case "calls":
      return <RecentCalls />;
    case "messages":
      return <Messages />;
    case "rack":
      return <Rack />;
  }
}

const STREAM_WORDS: Record<StreamState, string> = {
  live: "Live",
  connecting: "Connecting",
  waiting: "Reconnecting",
  stopped: "Offline",
};

function Header(): JSX.Element {
  const state = stream.value;
  const dark = isDark();
  return (
    <header class="top">
      <div class="brand">
        <Logo />
        <h1>modembank</h1>
      </div>
      <span class="connection" data-state={state} role="status" data-testid="connection">
        {STREAM_WORDS[state]}
      </span>
      <div class="top-buttons">
        <button
          type="button"
          class="icon-button"
          data-testid="theme"
          aria-label={dark ? "Light colours" : "Dark colours"}
          title={dark ? "Light colours" : "Dark colours"}
          onClick={toggleTheme}
        >
          <Icon name={dark ? "sun" : "moon"} />
        </button>
        <button
          type="button"
          class="icon-button"
          data-testid="settings-open"
          aria-label="Settings"
          title="Settings"
          onClick={() => (settingsOpen.value = true)}
        >
          <Icon name="settings" />
        </button>
      </div>
    </header>
  );
}

function BoardTabs(): JSX.Element {
  const shown = shownTable();
  return (
    <div class="board-tabs" role="group" aria-label="Table">
      <button type="button" aria-pressed={shown === "rack"} onClick={() => (view.value = "rack")}>
        Rack <span class="count">{rackCounts.value.rows}</span>
      </button>
      <button
        type="button"
        aria-pressed={shown === "calls"}
        data-testid="show-recent"
        onClick={() => (view.value = "calls")}
      >
        Recent calls <span class="count">{recentCalls.value.length}</span>
      </button>
      <button
        type="button"
        aria-pressed={shown === "messages"}
        data-testid="show-messages"
        onClick={() => (view.value = "messages")}
      >
        Messages <MessageCount />
      </button>
      {shown === "rack" && <RackTools />}
    </div>
  );
}

/** How many are new while nobody looks, else how many there are. */
function MessageCount(): JSX.Element {
  const fresh = unseen.value;
  return (
    <span class="count" data-fresh={fresh > 0}>
      {fresh > 0 ? `${fresh} new` : newestMessages.value.length}
    </span>
  );
}

const TABS: readonly { view: View; word: string; icon: IconName }[] = [
  { view: "phone", word: "Phone", icon: "phone" },
  { view: "calls", word: "Calls", icon: "clock" },
  { view: "messages", word: "Messages", icon: "talk" },
  { view: "rack", word: "Rack", icon: "rack" },
];

/** On small screens only. */
function TabBar(): JSX.Element {
  return (
    <nav class="tabbar" aria-label="Parts of this page">
      {TABS.map((tab) => (
        <button
          key={tab.view}
          type="button"
          aria-current={view.value === tab.view ? "page" : undefined}
          data-testid={`tab-${tab.view}`}
          onClick={() => (view.value = tab.view)}
        >
          <Icon name={tab.icon} size={22} />
          {tab.word}
          {tab.view === "calls" && liveCalls.value.length > 0 && <span class="dot" aria-label="calls are going on" />}
          {tab.view === "messages" && unseen.value > 0 && <span class="dot" aria-label="there are new messages" />}
        </button>
      ))}
    </nav>
  );
}

function Notice(): JSX.Element {
  const now = notice.value;
  return (
    <div class="notice-place" role="status" aria-live="polite">
      {now !== null && (
        <p class="notice" data-tone={now.tone}>
          {now.text}
        </p>
      )}
    </div>
  );
}
