/** Temperatures set, the fan, and the head moved by hand: lines of G-code that the agent lets pass, or says why not. */

import { useQuery } from "@tanstack/react-query";
import { useState, type FormEvent, type ReactNode } from "react";
import { get } from "../../api/ask";
import type { ItemsOfMaterialDocument, PrinterDocument } from "../../api/shapes";
import { command, sendLines } from "../../deeds";
import { Deed } from "../../parts/deed";
import { complain } from "../../parts/notes";
import { settingOf } from "./heaters";

const STEPS_MM = [0.1, 1, 10, 50] as const;
const ACROSS_MM_MIN = 3000;
const UP_MM_MIN = 300;
const FANS: readonly (readonly [string, string])[] = [["off", "M107"], ["50 %", "M106 S128"], ["100 %", "M106 S255"]];

/** Whether a print goes on, or begins: it would not bear to be moved, or to cool. */
export const atWork = (printer: PrinterDocument): boolean => printer.run !== null || printer.foreign;

export function Heating({ printer }: { printer: PrinterDocument }): ReactNode {
  const { id, live } = printer;
  const busy = atWork(printer);
  const say = (line: string): Promise<unknown> => command(id, "send", { line });
  const heaters = Object.keys(live?.temperatures ?? {}).filter((heater) => settingOf(heater, 0)).sort((a, b) => b.localeCompare(a));
  return (
    <section aria-label="Heat and fan" className="block">
      <h2>Heat and fan</h2>
      {heaters.map((heater) => <Heater key={heater} printer={printer} heater={heater} busy={busy} />)}
      {!busy && <Preheat printer={printer} heaters={heaters} />}
      <p className="deeds">
        <span className="what">fan</span>
        {FANS.map(([words, line]) => <Deed key={line} label={`Fan ${words}`} does={() => say(line)}>{words}</Deed>)}
      </p>
    </section>
  );
}

function Heater({ printer, heater, busy }: { printer: PrinterDocument; heater: string; busy: boolean }): ReactNode {
  const [said, setSaid] = useState("");
  const reading = printer.live?.temperatures[heater];
  const set = async (celsius: number): Promise<void> => {
    await command(printer.id, "send", { line: settingOf(heater, celsius)! });
    setSaid("");
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    set(Number(said)).catch(complain);
  };
  return (
    <form className="deeds" onSubmit={submit}>
      <span className="what">{heater}</span>
      <span className="reading">{reading ? `${reading.actual_celsius.toFixed(0)} °C` : "–"}{reading?.target_celsius ? ` → ${reading.target_celsius.toFixed(0)} °C` : ""}</span>
      <label><span className="hidden">Target of {heater}</span>
        <input type="number" min={busy ? 1 : 0} max={500} required value={said} placeholder="°C" onChange={(event) => setSaid(event.target.value)} />
      </label>
      <button aria-label={`Set ${heater}`}>Set</button>
      {!busy && <Deed label={`${heater} off`} does={() => set(0)}>Off</Deed>}
    </form>
  );
}

/** Warm up for a material, by what slicing knows of it. */
function Preheat({ printer, heaters }: { printer: PrinterDocument; heaters: readonly string[] }): ReactNode {
  const { data } = useQuery({
    queryKey: ["materials"],
    queryFn: ({ signal }) => get<ItemsOfMaterialDocument>("/materials", signal),
    staleTime: 300_000,
  });
  const known = data?.items.find(({ name }) => name === printer.material);
  if (!known?.profile || !heaters.length) return null;
  const { nozzle_celsius, bed_celsius } = known.profile;
  const lines = heaters.map((heater) => settingOf(heater, heater === "bed" ? bed_celsius : heater === "tool0" ? nozzle_celsius : 0)!);
  return (
    <p className="deeds">
      <span className="what">all</span>
      <Deed does={() => sendLines(printer.id, lines)}>Warm up for {known.name}: {nozzle_celsius} / {bed_celsius} °C</Deed>
      <Deed does={() => sendLines(printer.id, heaters.map((heater) => settingOf(heater, 0)!))}>All off</Deed>
    </p>
  );
}

export function Moving({ printer }: { printer: PrinterDocument }): ReactNode {
  const [step_mm, setStep] = useState<number>(10);
  const { id } = printer;
  const jog = (axis: string, way: 1 | -1): Promise<void> => {
    const feed = axis === "Z" ? UP_MM_MIN : ACROSS_MM_MIN;
    // Absolute again, whatever became of the move: what is said next counts on it.
    return sendLines(id, ["G91", `G0 ${axis}${way * step_mm} F${feed}`], "G90");
  };
  const move = (axis: string, way: 1 | -1, words: string): ReactNode => (
    <Deed label={`${words}: ${axis} ${way > 0 ? "+" : "−"}${step_mm} mm`} does={() => jog(axis, way)}>{axis}{way > 0 ? "+" : "−"}</Deed>
  );
  return (
    <section aria-label="Move" className="block">
      <h2>Move</h2>
      {atWork(printer)
        ? <p className="faint">Not while it prints: the head would go on from another place.</p>
        : (
          <>
            {!printer.in_service && <p className="faint">A job may begin meanwhile. Take the printer into service first, and none does.</p>}
            <div className="jog">
              <div className="cross">
                {move("Y", 1, "Back")}{move("X", -1, "Left")}{move("X", 1, "Right")}{move("Y", -1, "Front")}
              </div>
              <div className="column">{move("Z", 1, "Up")}{move("Z", -1, "Down")}</div>
              <div className="chips" role="group" aria-label="Step">
                {STEPS_MM.map((each) => <button key={each} type="button" className="chip quiet" aria-pressed={step_mm === each} onClick={() => setStep(each)}>{each} mm</button>)}
              </div>
            </div>
            <p className="deeds">
              <Deed does={() => command(id, "send", { line: "G28" })}>Home all</Deed>
              <Deed does={() => command(id, "send", { line: "G28 X Y" })}>Home X and Y</Deed>
              <Deed does={() => command(id, "send", { line: "M84" })}>Motors off</Deed>
            </p>
          </>
        )}
    </section>
  );
}
