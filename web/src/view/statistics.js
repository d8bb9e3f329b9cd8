import { STAGES, plateWords, rate } from "../state/words.js";
import { make, part } from "./dom.js";

/** @import { State, Stats } from "../types.js" */

/** The line of numbers under the stage; the same numbers as data attributes, for tests. */
export class Statistics {
  #line = part("stats", HTMLElement);

  /** @param {State} state @param {State} before */
  render(state, before) {
    const { stats, network, preferences, phase, plate } = state;
    this.#line.hidden = !preferences.statistics || phase === "off";
    const same = stats === before.stats && network === before.network && plate === before.plate;
    if (same && this.#line.childElementCount > 0) return;
    this.#mark(state);
    const figures = [];
    if (stats) {
      const slow = stats.fps_in > 5 && stats.fps_out < stats.fps_in * 0.75;
      figures.push(
        figure("Camera", `${stats.fps_in.toFixed(1)} fps`),
        figure("Composite", `${stats.fps_out.toFixed(1)} fps`, slow ? "warning" : ""),
        figure("Size", `${stats.width} × ${stats.height}`),
        figure("Matting", `${total(stats.ms).toFixed(1)} ms`),
        ...quality(stats),
        stages(stats.ms),
        figure("Latency", `${Math.round(stats.latency_ms)} ms`),
        figure("Dropped", String(stats.dropped)),
      );
    } else {
      figures.push(figure("Statistics", "waiting for the gateway"));
    }
    if (network) {
      const limited = network.limitation !== "none" ? ` (${network.limitation})` : "";
      figures.push(
        figure("Up", rate(network.sentKbps) + limited, limited ? "warning" : ""),
        figure("Down", rate(network.receivedKbps)),
      );
      if (network.rttMs !== null) figures.push(figure("RTT", `${network.rttMs.toFixed(0)} ms`));
      if (network.bufferMs !== null) figures.push(figure("Buffer", `${network.bufferMs.toFixed(0)} ms`));
    }
    const { label, tone } = plateWords(plate);
    figures.push(figure("Room", label, tone));
    this.#line.replaceChildren(...figures);
  }

  /** @param {State} state */
  #mark({ stats, network, plate }) {
    /** @type {Record<string, number | string | null | undefined>} */
    const numbers = {
      fpsIn: stats?.fps_in,
      fpsOut: stats?.fps_out,
      width: stats?.width,
      height: stats?.height,
      ms: stats && total(stats.ms),
      latencyMs: stats?.latency_ms,
      dropped: stats?.dropped,
      framesIn: stats?.frames_in,
      framesOut: stats?.frames_out,
      plateState: plate.state,
      validity: plate.validity,
      drift: plate.drift,
      level: stats?.quality?.level,
      sentKbps: network?.sentKbps,
      receivedKbps: network?.receivedKbps,
      receivedFps: network?.receivedFps,
      rttMs: network?.rttMs,
    };
    for (const [name, value] of Object.entries(numbers)) {
      this.#line.dataset[name] = value === null || value === undefined ? "" : String(value);
    }
  }
}

/** @param {Record<string, number>} ms */
function total(ms) {
  return ms.total ?? Object.values(ms).reduce((sum, each) => sum + each, 0);
}

/** @param {string} name @param {string} value @param {string} [tone] */
function figure(name, value, tone = "") {
  const data = { tone };
  return make("span", { className: "figure", data, text: `${name} ` }, make("b", { text: value }));
}

/** What was given up for the rate, if anything. @param {Stats} stats */
function quality({ quality: now, width, height }) {
  if (!now || now.level === 0) return [];
  const smaller = now.width < width ? `, ${now.width} × ${now.height}` : "";
  const mark = figure("Detail", `${now.levels - now.level} of ${now.levels}${smaller}`, "warning");
  mark.title = "The gateway looks less closely to keep up its rate; smaller pictures are faster.";
  return [mark];
}

/** A bar of the stages' shares. @param {Record<string, number>} ms */
function stages(ms) {
  const bar = make("span", { className: "stages" });
  const known = STAGES.map(([key, name]) => ({ name, value: ms[key] ?? 0 }));
  bar.title = known.map(({ name, value }) => `${name} ${value.toFixed(1)} ms`).join(" · ");
  bar.setAttribute("role", "img");
  bar.setAttribute("aria-label", bar.title);
  for (const { value } of known) {
    const share = make("i");
    share.style.flexGrow = String(value); // set by script: the policy forbids it in markup only
    bar.append(share);
  }
  return bar;
}
