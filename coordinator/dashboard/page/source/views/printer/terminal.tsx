/** A line to the firmware, and what it said; what a print does not bear is refused at the agent. */

import { useState, type FormEvent, type ReactNode } from "react";
import { command } from "../../deeds";

const LINES_KEPT = 500;

export function Terminal({ id }: { id: string }): ReactNode {
  const [said, setSaid] = useState("");
  const [lines, setLines] = useState<string[]>([]);
  const hear = (heard: readonly string[]): void => setLines((before) => [...before, ...heard].slice(-LINES_KEPT));
  const speak = async (name: string, given: Record<string, string>): Promise<void> => {
    try {
      hear((await command(id, name, given)).split("\n"));
    } catch (error) {
      hear([`! ${error instanceof Error ? error.message : String(error)}`]);
    }
  };
  const send = (event: FormEvent): void => {
    event.preventDefault();
    if (!said.trim()) return;
    hear([`> ${said}`]);
    void speak("send", { line: said });
    setSaid("");
  };
  return (
    <details className="terminal">
      <summary>Terminal</summary>
      <pre aria-live="polite">{lines.join("\n") || "Send a line, or ask for the last dialogue."}</pre>
      <form onSubmit={send}>
        <label><span className="hidden">Line to send</span>
          <input value={said} onChange={(event) => setSaid(event.target.value)} spellCheck={false} autoCapitalize="characters" placeholder="M115" />
        </label>
        <button>Send</button>
        <button type="button" onClick={() => void speak("dialogue", {})}>Last dialogue</button>
      </form>
    </details>
  );
}
