/** A plate, layer by layer, as its G-code has it; while it prints, up to where the printer is. */

import { useCallback, useEffect, useRef, useState, type ReactNode, type RefObject } from "react";
import { usePrinter } from "../live/store";
import { count } from "../words";
import type { Colours, Look } from "./layers_scene";
import { KINDS, PALETTE } from "./palette";
import { Room, type FromRoom } from "./room";
import "../styles/layers.css";

interface Shown {
  url: string;
  name: string;
  /** A run that prints just this plate now. */
  run?: { id: string; printer_id: string } | null;
}

export default function Layers({ url, name, run = null }: Shown): ReactNode {
  const host = useRef<HTMLDivElement>(null);
  const { heights, kinds, drawn, words, whole, show } = useLayers(url, host);
  const [chosen, setLayer] = useState(0);
  const [follow, setFollow] = useState(true);
  const [travel, setTravel] = useState(false);
  const [alone, setAlone] = useState(false);
  const [colours, setColours] = useState<Colours>("kind");
  const live = usePrinter(run?.printer_id ?? "")?.live;
  const at = run && live?.run_id === run.id && live.layer > 0 ? live : null;
  const following = follow && at !== null;
  const layers = heights.length;
  const layer = Math.min(layers, following ? at.layer : chosen || layers);
  const commands = following && at.line > 0 ? at.line : null;

  useEffect(() => {
    if (layer) show({ layer, commands, travel, alone, colours });
    // What is drawn of a layer depends on whether there are further ones.
  }, [show, layers, layer, commands, travel, alone, colours]);

  return (
    <figure className="viewer layers" aria-busy={!whole && !words}>
      <div ref={host} role="img" aria-label={`${name}, layer ${layer} of ${layers}, to be turned with the mouse`} />
      <figcaption role="status">{words || (whole ? !layers && "There is nothing in it that would be printed." : "Reading the plate …")}</figcaption>
      {layers > 0 && (
        <>
          <label className="slider">
            <span>Layer <b>{layer}</b> of {layers}, {heights[layer - 1]?.toFixed(2)} mm</span>
            <input type="range" min={1} max={layers} value={layer} aria-valuetext={`layer ${layer} of ${layers}`}
              onChange={(event) => {
                setFollow(false);
                setLayer(Number(event.target.value));
              }} />
          </label>
          <p className="deeds">
            {at && <label><input type="checkbox" checked={follow} onChange={(event) => setFollow(event.target.checked)} /> Follow the print</label>}
            <label><input type="checkbox" checked={alone} onChange={(event) => setAlone(event.target.checked)} /> This layer only</label>
            <label><input type="checkbox" checked={travel} onChange={(event) => setTravel(event.target.checked)} /> Moves without plastic</label>
            <label>Colours{" "}
              <select value={colours} onChange={(event) => setColours(event.target.value as Colours)}>
                <option value="kind">what it is for</option>
                <option value="height">height</option>
              </select>
            </label>
          </p>
          <p className="faint" data-lines={drawn.lines} data-layer={drawn.layer}>{count(drawn.lines, "line").replace(/^\d+/, drawn.lines.toLocaleString())} {alone ? "in this layer" : "up to here"}</p>
          {colours === "kind" && (
            <ul className="legend" aria-label="Colours">
              {kinds.map((kind) => <li key={kind}><span style={{ background: PALETTE[kind] }} aria-hidden="true" /> {KINDS[kind]}</li>)}
            </ul>
          )}
        </>
      )}
    </figure>
  );
}

interface Known {
  /** Of each layer that was read so far, in millimetres. */
  heights: readonly number[];
  kinds: readonly number[];
  drawn: { layer: number; lines: number };
  /** What is wrong; empty while all is well. */
  words: string;
  whole: boolean;
}

const NOTHING: Known = { heights: [], kinds: [], drawn: { layer: 0, lines: 0 }, words: "", whole: false };

/** What is in a file of G-code, read and drawn beside the page, which goes on meanwhile. */
function useLayers(url: string, host: RefObject<HTMLDivElement | null>): Known & { show: (look: Look) => void } {
  const [known, setKnown] = useState(NOTHING);
  const [apart, setApart] = useState(Room.canBeApart);
  const room = useRef<Room | null>(null);
  useEffect(() => {
    let wanted = true;
    const learn = (more: Partial<Known>): void => setKnown((before) => ({ ...before, ...more }));
    const failed = (error: unknown): void => {
      if (wanted) learn({ words: error instanceof Error ? error.message : "The plate can't be read here." });
    };
    const hear = (said: FromRoom): void => {
      if (!wanted) return;
      if (said.kind === "layers") setKnown((before) => ({ ...before, kinds: said.kinds, heights: [...before.heights, ...said.heights] }));
      else if (said.kind === "whole") learn({ whole: true });
      else if (said.kind === "drawn") learn({ drawn: { layer: said.layer, lines: said.lines } });
      else if (said.kind === "failed") failed(new Error(said.words));
      // Older browsers have workers that can't draw; then it is done here.
      else if (apart) setApart(false);
      else learn({ words: said.words });
    };
    setKnown(NOTHING);
    void Room.open(host.current!, hear, apart).then((opened) => {
      if (!wanted) {
        opened.close();
        return;
      }
      room.current = opened;
      opened.read(url);
    }, failed);
    return () => {
      wanted = false;
      room.current?.close();
      room.current = null;
    };
  }, [url, host, apart]);
  const show = useCallback((look: Look) => room.current?.say({ kind: "show", look }), []);
  return { ...known, show };
}
