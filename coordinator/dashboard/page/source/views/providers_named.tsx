/** How a farm gets providers of models: what is written where, for whoever looks after it. */

import type { ReactNode } from "react";
import { Copied } from "../parts/secret";

const CODE = `[providers.code]
service = "openscad"`;
const WORDS = `[providers.writer]
service = "openscad"
base_url = "http://127.0.0.1:11434/v1"
model = "qwen3-coder:30b"`;
const PAID = `[providers.meshy]
service = "meshy"
api_key_file = "/etc/farmhand/meshy.key"
budget_per_day = 300`;

/** In full where there is none yet; else folded away. */
export function HowToName({ none }: { none: boolean }): ReactNode {
  return (
    <details className="naming" open={none}>
      <summary>{none ? "No provider is named yet: what makes models here" : "What else could make models here"}</summary>
      <p>A provider is a table in the coordinator's settings (<code>coordinator.toml</code>), taken at its next start.
        Its name is yours; <code>configs/providers.toml</code> has one of each service.</p>
      <ul>
        <li><p><strong>Your own code</strong> needs nobody: OpenSCAD with measures to change.</p><Copied label="Settings for code" value={CODE} /></li>
        <li><p><strong>Words</strong> want a language model: one on this machine (Ollama), or any server with OpenAI's chat completions.</p><Copied label="Settings for words" value={WORDS} /></li>
        <li><p><strong>Words and pictures</strong> go to a service where you have an account (Meshy, fal, Tripo, Rodin, Stability AI), or to a GPU of your own.</p><Copied label="Settings for a service" value={PAID} /></li>
      </ul>
      <p className="faint">A demo takes them from its environment: <code>FARMHAND_PROVIDERS__MESHY__SERVICE=meshy</code>,{" "}
        <code>FARMHAND_PROVIDERS__MESHY__API_KEY=…</code>, then <code>./farmhand demo</code>.</p>
    </details>
  );
}
