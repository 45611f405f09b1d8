/** A model or G-code dropped anywhere becomes an order; dropped on a printer's card, for that printer. */

import { lazy, Suspense, useEffect, useRef, useState, type ReactNode } from "react";
import { useSession } from "../session";

const OrderSheet = lazy(async () => ({ default: (await import("./ordering")).OrderSheet }));

const TAKEN = ".stl,.3mf,.obj,.ply,.glb,.amf,.step,.stp,.gcode,.gco,.g,.bgcode";

interface Dropped {
  files: readonly File[];
  printer: string;
}

/** The card of a printer under what is dragged. */
function printerAt(event: DragEvent): HTMLElement | null {
  return event.target instanceof Element ? event.target.closest<HTMLElement>("[data-printer]") : null;
}

export function DropAnywhere({ children }: { children: ReactNode }): ReactNode {
  const { may } = useSession();
  const [over, setOver] = useState(false);
  const [dropped, setDropped] = useState<Dropped | null>(null);
  const picker = useRef<HTMLInputElement>(null);
  const allowed = may("jobs:submit");

  useEffect(() => {
    if (!allowed) return undefined;
    let lit: HTMLElement | null = null;
    const light = (card: HTMLElement | null): void => {
      if (card === lit) return;
      lit?.classList.remove("drop-here");
      card?.classList.add("drop-here");
      lit = card;
    };
    const drag = (event: DragEvent): void => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      setOver(event.type === "dragover");
      light(event.type === "dragover" ? printerAt(event) : null);
    };
    const drop = (event: DragEvent): void => {
      const files = [...(event.dataTransfer?.files ?? [])];
      if (!files.length) return;
      event.preventDefault();
      setOver(false);
      light(null);
      setDropped({ files, printer: printerAt(event)?.dataset.printer ?? "" });
    };
    window.addEventListener("dragover", drag);
    window.addEventListener("dragleave", drag);
    window.addEventListener("drop", drop);
    return () => {
      window.removeEventListener("dragover", drag);
      window.removeEventListener("dragleave", drag);
      window.removeEventListener("drop", drop);
    };
  }, [allowed]);

  return (
    <div className={over ? "page dropping" : "page"}>
      {children}
      {allowed && (
        <>
          <button type="button" className="main add" onClick={() => picker.current?.click()}>Print a file</button>
          <input ref={picker} type="file" accept={TAKEN} multiple hidden aria-label="Files to print"
            onChange={(event) => {
              const files = [...(event.target.files ?? [])];
              if (files.length) setDropped({ files, printer: "" });
              event.target.value = "";
            }} />
        </>
      )}
      {dropped && (
        <Suspense fallback={null}>
          <OrderSheet title={dropped.files.length === 1 ? dropped.files[0]!.name : `${dropped.files.length} files`} {...dropped} close={() => setDropped(null)} />
        </Suspense>
      )}
    </div>
  );
}
