/** A plate, layer by layer, as its G-code has it; while it prints, up to where the printer is. */

import { useEffect, useRef, useState, type ReactNode } from "react";
import { bytes } from "../api/ask";
import { usePrinter } from "../live/store";
import { count } from "../words";
import { LayersScene, PALETTE, type Colours } from "./layers_scene";
import { KINDS, type Toolpath } from "./toolpath";
import "../styles/layers.css";

interface Shown {
  url: string;
  name: string;
  /** A run that prints just this plate now. */
  run?: { id: string; printer_id: string } | null;
}

export default function Layers({ url, name, run = null }: Shown): ReactNode {
  const { path, words } = useToolpath(url);
  const host = useRef<HTMLDivElement>(null);
  const scene = useRef<LayersScene | null>(null);
  const [trouble, setTrouble] = useState("");
  const [chosen, setLayer] = useState(0);
  const [follow, setFollow] = useState(true);
  const [travel, setTravel] = useState(false);
  const [alone, setAlone] = useState(false);
  const [colours, setColours] = useState<Colours>("kind");
  const [drawn, setDrawn] = useState(0);
  const live = usePrinter(run?.printer_id ?? "")?.live;
  const at = run && live?.run_id === run.id && live.layer > 0 ? live : null;
  const following = follow && at !== null;
  const layers = path?.heights.length ?? 0;
  const layer = Math.min(layers, following ? at.layer : chosen || layers);
  const commands = following && at.line > 0 ? at.line : null;

  useEffect(() => {
    if (!path || !host.current) return undefined;
    try {
      scene.current = new LayersScene(host.current, path);
    } catch (error) {
      setTrouble(error instanceof Error ? error.message : String(error));
    }
    return () => {
      scene.current?.close();
      scene.current = null;
    };
  }, [path]);
  useEffect(() => {
    if (layer) setDrawn(scene.current?.show({ layer, commands, travel, alone, colours }) ?? 0);
  }, [path, layer, commands, travel, alone, colours]);

  return (
    <figure className="viewer layers">
      <div ref={host} role="img" aria-label={`${name}, layer ${layer} of ${layers}, to be turned with the mouse`} />
      <figcaption role="status">{words || trouble || (path && !layers && "There is nothing in it that would be printed.")}</figcaption>
      {path && layers > 0 && (
        <>
          <label className="slider">
            <span>Layer <b>{layer}</b> of {layers}, {path.heights[layer - 1]?.toFixed(2)} mm</span>
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
          <p className="faint" data-lines={drawn}>{count(drawn, "line").replace(/^\d+/, drawn.toLocaleString())} {alone ? "in this layer" : "up to here"}</p>
          {colours === "kind" && (
            <ul className="legend" aria-label="Colours">
              {path.kinds.map((kind) => <li key={kind}><span style={{ background: PALETTE[kind] }} aria-hidden="true" /> {KINDS[kind]}</li>)}
            </ul>
          )}
        </>
      )}
    </figure>
  );
}

/** What is in a file of G-code, read in a worker: the page goes on meanwhile. */
function useToolpath(url: string): { path: Toolpath | null; words: string } {
  const [path, setPath] = useState<Toolpath | null>(null);
  const [words, setWords] = useState("");
  useEffect(() => {
    const given = new AbortController();
    let worker: Worker | null = null;
    setPath(null);
    setWords("Loading the plate …");
    const failed = (error: unknown): void => {
      if (!given.signal.aborted) setWords(error instanceof Error ? error.message : "The plate can't be read here.");
    };
    bytes(url, given.signal).then((found) => {
      if (given.signal.aborted) return;
      setWords("Reading the plate …");
      worker = new Worker(new URL("./toolpath.worker.ts", import.meta.url), { type: "module" });
      worker.onerror = failed;
      worker.onmessage = ({ data }: MessageEvent<Toolpath>) => {
        worker?.terminate();
        setWords("");
        setPath(data);
      };
      worker.postMessage(found, [found]);
    }).catch(failed);
    return () => {
      given.abort();
      worker?.terminate();
    };
  }, [url]);
  return { path, words };
}
