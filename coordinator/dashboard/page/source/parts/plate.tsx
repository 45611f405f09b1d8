/** A plate: its picture first, and all its layers once somebody wants to see them. */

import { lazy, Suspense, useState, type ReactNode } from "react";
import type { PlateDocument, RunDocument } from "../api/shapes";
import { duration, grams } from "../words";
import { Picture, pictureOf } from "./picture";

const Layers = lazy(() => import("../viewer/layers"));

interface Shown {
  plate: PlateDocument;
  /** A run that prints it now: the layers are shown up to where it is. */
  run?: RunDocument | null;
}

export function PlateShown({ plate, run = null }: Shown): ReactNode {
  const [open, setOpen] = useState(false);
  const url = pictureOf(plate.pictures, "plate", 300);
  const name = `the plate for ${plate.printer_class || "any printer"}`;
  return (
    <figure className={open ? "wide" : undefined}>
      {open
        ? <Suspense fallback={<p role="status">Loading …</p>}><Layers url={plate.url} name={name} run={run} /></Suspense>
        : url && <Picture url={url} alt={name} />}
      <figcaption>
        <strong>{plate.printer_class || "any printer"}</strong>{" "}
        {[plate.material, plate.estimate && duration(plate.estimate.seconds), grams(plate.filament_g),
          plate.layer_count && `${plate.layer_count} layers`, plate.copies > 1 && `${plate.copies} copies on it`,
          plate.engine].filter(Boolean).join(" · ")}
        {plate.remarks.map((remark) => <span key={remark} className="remark">{remark}</span>)}
      </figcaption>
      <p className="deeds">
        <button type="button" aria-expanded={open} onClick={() => setOpen(!open)}>{open ? "Close the layers" : "Look at its layers"}</button>
      </p>
    </figure>
  );
}
