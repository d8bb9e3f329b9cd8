import { Store } from "./state/state.js";
import { Studio } from "./studio.js";
import { Controls } from "./view/controls.js";
import { button } from "./view/dom.js";
import { Gallery } from "./view/gallery.js";
import { applyTheme, remember, remembered, switchTheme } from "./view/memory.js";
import { Messages } from "./view/messages.js";
import { Shortcuts } from "./view/shortcuts.js";
import { Stage, toggleFullscreen } from "./view/stage.js";
import { Statistics } from "./view/statistics.js";
import { askToken } from "./view/token.js";
import { Gateway } from "./wire/gateway.js";

/** Put the parts together. */
async function start() {
  applyTheme();
  const store = new Store();
  const { preferences, ...kept } = remembered();
  store.dispatch({ type: "set", values: kept });
  // On a phone the figures would push the next step out of sight.
  const roomy = !matchMedia("(max-width: 640px)").matches;
  store.dispatch({ type: "prefer", values: preferences ?? { statistics: roomy } });

  const stage = new Stage();
  const controls = new Controls();
  const gallery = new Gallery(() => store.state);
  const statistics = new Statistics();
  const messages = new Messages();
  const screens = {
    source: (/** @type {MediaStreamTrack | null} */ track) => stage.showSource(track),
    composite: (/** @type {MediaStreamTrack | null} */ track) => stage.showComposite(track),
  };
  const studio = new Studio(new Gateway(), store, screens, askToken);

  stage.connect(studio);
  controls.connect(studio, () => store.state);
  gallery.connect(studio);
  messages.connect(
    () => studio.dismiss(),
    (name) => {
      if (name === "capture") studio.capture();
      else if (name === "retry") studio.retry();
      else if (name === "start") studio.start();
      else location.reload();
    },
  );
  button("theme").addEventListener("click", switchTheme);
  new Shortcuts([
    { key: "b", about: "Capture the background", press: () => studio.capture() },
    ...Array.from({ length: 9 }, (_, i) => ({
      key: String(i + 1),
      shown: "1 – 9",
      about: i === 0 ? "Choose a backdrop" : "",
      press: () => gallery.chooseDigit(i + 1),
    })),
    {
      key: "c",
      about: "Hold to compare with your camera",
      press: () => studio.compare(true),
      release: () => studio.compare(false),
    },
    { key: "m", about: "Mute", press: () => studio.toggleMute() },
    { key: "l", about: "Change the layout", press: () => studio.nextLayout() },
    {
      key: "x",
      about: "Mirror your view",
      press: () => studio.prefer({ mirrored: !store.state.preferences.mirrored }),
    },
    {
      key: "s",
      about: "Statistics",
      press: () => studio.prefer({ statistics: !store.state.preferences.statistics }),
    },
    { key: "f", about: "Full screen", press: () => toggleFullscreen() },
    {
      key: "escape",
      shown: "Esc",
      about: "Cancel a capture, close a message",
      press: () => (store.state.capture ? studio.cancelCapture() : studio.dismiss()),
    },
  ]);

  store.show((state) => stage.render(state));
  store.show((state) => controls.render(state));
  store.show((state) => gallery.render(state));
  store.show((state, before) => statistics.render(state, before));
  store.show((state, before) => messages.render(state, before));
  store.show(remember);
  // The start button is gone: somebody at the keyboard goes on where the next step is.
  store.show(({ phase }, before) => {
    const lost = document.activeElement === document.body;
    if (phase === "live" && before.phase === "starting" && lost) button("capture").focus();
  });
  // The seconds until the next attempt, in words.
  setInterval(() => {
    if (store.state.phase === "lost") stage.render(store.state);
  }, 500);
  window.addEventListener("pagehide", () => studio.stop());
  await studio.prepare();
}

await start();
