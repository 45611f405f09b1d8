/** What waits, in the order in which it is served: put elsewhere by dragging, by a number, or with the arrow keys. */

import { memo, useCallback, useEffect, useMemo, useRef, useState, type KeyboardEvent, type PointerEvent, type ReactNode } from "react";
import type { JobGlanceDocument } from "../api/shapes";
import { manyJobs, moveJob, type JOB_ACTIONS } from "../deeds";
import { Deed } from "../parts/deed";
import { useDrawn } from "../parts/drawn";
import { complain } from "../parts/notes";
import { useSession } from "../session";
import { count } from "../words";
import { Line } from "./line";

/** So near to the edge of the window a drag scrolls. */
const EDGE_PX = 80;
const SCROLLED_PX = 14;

interface Over {
  id: string;
  after: boolean;
}

export function Waiting({ jobs }: { jobs: readonly JobGlanceDocument[] }): ReactNode {
  const { may } = useSession();
  const moves = may("jobs:manage");
  const [chosen, choose] = useState<ReadonlySet<string>>(new Set());
  const [dragged, setDragged] = useState("");
  const [over, setOver] = useState<Over | null>(null);
  const { put, spoken, busy, list } = useMoves(jobs);

  const drag = (event: PointerEvent<HTMLButtonElement>, id: string): void => {
    if (event.button !== 0 || busy) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    setDragged(id);
  };
  const carry = (event: PointerEvent<HTMLButtonElement>): void => {
    if (!dragged) return;
    if (event.clientY < EDGE_PX) window.scrollBy(0, -SCROLLED_PX);
    else if (event.clientY > window.innerHeight - EDGE_PX) window.scrollBy(0, SCROLLED_PX);
    const line = document.elementFromPoint(event.clientX, event.clientY)?.closest<HTMLElement>("ol.waiting > [data-job]");
    const box = line?.getBoundingClientRect();
    const id = line?.dataset.job;
    setOver(box && id && id !== dragged ? { id, after: event.clientY > box.top + box.height / 2 } : null);
  };
  const drop = (): void => {
    if (dragged && over) {
      const others = jobs.filter(({ id }) => id !== dragged);
      const at = others.findIndex(({ id }) => id === over.id);
      void put(dragged, at + (over.after ? 1 : 0));
    }
    setDragged("");
    setOver(null);
  };
  const press = (event: KeyboardEvent<HTMLButtonElement>, id: string, index: number): void => {
    const to = { ArrowUp: index - 1, ArrowDown: index + 1, Home: 0, End: jobs.length - 1 }[event.key];
    if (event.key === "Escape") drop();
    if (to === undefined) return;
    event.preventDefault();
    if (to >= 0 && to < jobs.length && to !== index) void put(id, to);
  };
  const toggle = (id: string): void => choose((before) => {
    const after = new Set(before);
    if (!after.delete(id)) after.add(id);
    return after;
  });
  const hands = useHands({ drag, carry, drop, press, toggle, put, leave: () => { setOver(null); setDragged(""); } });
  const drawn = useDrawn(jobs.length, "waiting");
  const still = jobs.filter(({ id }) => chosen.has(id));
  return (
    <section aria-label="Waiting">
      <h2>Waiting <span className="faint">{jobs.length}</span></h2>
      {moves && jobs.length > 1 && (
        <p className="faint" id="how-to-move">Drag a job by its handle, type its place, or press the arrow keys on the handle.</p>
      )}
      <p className="hidden" role="status" aria-live="assertive">{spoken}</p>
      {jobs.length === 0 && <p className="faint">Nothing waits. Drop a model or G-code anywhere on this page.</p>}
      <ol className={dragged ? "jobs waiting dragging" : "jobs waiting"} ref={list}>
        {jobs.slice(0, drawn).map(({ id, name }, index) => (
          <Place key={id} id={id} name={name} index={index} of={jobs.length} mark={marked(id, dragged, over)} chosen={chosen.has(id)} hands={moves ? hands : null} />
        ))}
      </ol>
      {still.length > 0 && <Many jobs={still} put={put} none={() => choose(new Set())} all={() => choose(new Set(jobs.map(({ id }) => id)))} />}
    </section>
  );
}

/** What is done to one line of many. */
interface Hands {
  drag: (event: PointerEvent<HTMLButtonElement>, id: string) => void;
  carry: (event: PointerEvent<HTMLButtonElement>) => void;
  drop: () => void;
  leave: () => void;
  press: (event: KeyboardEvent<HTMLButtonElement>, id: string, index: number) => void;
  toggle: (id: string) => void;
  put: Put;
}

/** The same object always, so that of a thousand lines only those that differ are drawn anew. */
function useHands(now: Hands): Hands {
  const latest = useRef(now);
  latest.current = now;
  return useMemo<Hands>(() => ({
    drag: (event, id) => latest.current.drag(event, id),
    carry: (event) => latest.current.carry(event),
    drop: () => latest.current.drop(),
    leave: () => latest.current.leave(),
    press: (event, id, index) => latest.current.press(event, id, index),
    toggle: (id) => latest.current.toggle(id),
    put: (id, to) => latest.current.put(id, to),
  }), []);
}

interface Placed {
  id: string;
  name: string;
  index: number;
  of: number;
  mark: string;
  chosen: boolean;
  /** Null where one may look only. */
  hands: Hands | null;
}

const Place = memo(function Place({ id, name, index, of, mark, chosen, hands }: Placed): ReactNode {
  const before = useMemo(() => hands ? (
    <>
      <input type="checkbox" checked={chosen} aria-label={`Select ${name}`} onChange={() => hands.toggle(id)} />
      <button type="button" className="handle" aria-label={`Move ${name}`} aria-describedby="how-to-move" title="Drag, or press the arrow keys"
        onPointerDown={(event) => hands.drag(event, id)} onPointerMove={hands.carry} onPointerUp={hands.drop} onPointerCancel={hands.leave}
        onKeyDown={(event) => hands.press(event, id, index)}>⠿</button>
      <PlaceOf name={name} index={index} of={of} put={(to) => void hands.put(id, to)} />
    </>
  ) : <span className="number">{index + 1}</span>, [id, name, index, of, chosen, hands]);
  return <Line id={id} mark={mark} before={before} />;
});

function marked(id: string, dragged: string, over: Over | null): string {
  if (id === dragged) return "dragged";
  return over?.id === id ? (over.after ? "drop-after" : "drop-before") : "";
}

type Put = (id: string, to: number) => Promise<void>;

/** Moves one after the other; who moved something stays on its handle, and hears where it is now. */
function useMoves(jobs: readonly JobGlanceDocument[]): {
  put: Put; spoken: string; busy: boolean; list: React.RefObject<HTMLOListElement | null>;
} {
  const [busy, setBusy] = useState(false);
  const [spoken, say] = useState("");
  const moved = useRef("");
  const list = useRef<HTMLOListElement>(null);
  const put = useCallback(async (id: string, to: number): Promise<void> => {
    const others = jobs.filter((each) => each.id !== id);
    const index = Math.max(0, Math.min(to, others.length));
    const beside = others[index === 0 ? 0 : index - 1];
    const name = jobs.find((each) => each.id === id)?.name ?? id;
    if (!beside) return;
    setBusy(true);
    try {
      await moveJob(id, index === 0 ? { before: beside.id } : { after: beside.id });
      moved.current = id;
      say(`${name} is now ${index + 1} of ${jobs.length}.`);
    } catch (error) {
      complain(error);
    } finally {
      setBusy(false);
    }
  }, [jobs]);
  useEffect(() => {
    // A line that is put elsewhere in the page loses the focus.
    if (!moved.current) return;
    const line = list.current?.querySelector(`[data-job="${CSS.escape(moved.current)}"]`);
    if (document.activeElement === document.body) line?.querySelector<HTMLElement>(".handle")?.focus();
    line?.scrollIntoView({ block: "nearest" });
    moved.current = "";
  }, [jobs]);
  return { put, spoken, busy, list };
}

function PlaceOf({ name, index, of, put }: { name: string; index: number; of: number; put: (to: number) => void }): ReactNode {
  const [typed, setTyped] = useState<string | null>(null);
  const take = (): void => {
    const to = Number(typed);
    if (typed !== null && Number.isInteger(to) && to >= 1 && to !== index + 1) put(to - 1);
    setTyped(null);
  };
  return (
    <input className="number" type="number" min={1} max={of} inputMode="numeric" aria-label={`Place of ${name}`} value={typed ?? index + 1}
      onChange={(event) => setTyped(event.target.value)} onBlur={take}
      onKeyDown={(event) => { if (event.key === "Enter") take(); else if (event.key === "Escape") setTyped(null); }} />
  );
}

interface Chosen {
  jobs: readonly JobGlanceDocument[];
  put: Put;
  none: () => void;
  all: () => void;
}

function Many({ jobs, put, none, all }: Chosen): ReactNode {
  const ids = jobs.map(({ id }) => id);
  const act = (action: keyof typeof JOB_ACTIONS): Promise<void> => manyJobs(action, ids).then(none);
  // The last one first, so that they stand at the front in their own order.
  const front = async (): Promise<void> => {
    for (const id of [...ids].reverse()) await moveJob(id, { to: 1 });
    none();
  };
  return (
    <div className="bulk" role="region" aria-label="Selected jobs">
      <strong>{count(ids.length, "job")}</strong>
      <button type="button" onClick={all}>Select all</button>
      <Deed does={ids.length === 1 ? () => put(ids[0]!, 0).then(none) : front}>To the front</Deed>
      {jobs.some(({ approved }) => !approved) && <Deed does={() => act("approve")}>Approve</Deed>}
      {jobs.some(({ held }) => !held) && <Deed does={() => act("pause")}>Pause</Deed>}
      {jobs.some(({ held }) => held) && <Deed does={() => act("resume")}>Go on</Deed>}
      <Deed kind="danger" sure={`Cancel ${count(ids.length, "job")}?`} does={() => act("cancel")}>Cancel</Deed>
      <button type="button" onClick={none}>Select none</button>
    </div>
  );
}
