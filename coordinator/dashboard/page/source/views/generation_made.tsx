/** What came of a wish: its parts to be looked at and printed, the values that its code asks for, the code itself. */

import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useEffect, useState, type ReactNode } from "react";
import { Link, useLocation } from "wouter";
import { ask, bytes, get } from "../api/ask";
import type { GenerationDocument, VersionDocument } from "../api/shapes";
import { Deed } from "../parts/deed";
import { Picture, pictureOf } from "../parts/picture";
import { useSession } from "../session";
import { SHOWN } from "../viewer/formats";
import { Parameters } from "./generation_form";

const Viewer = lazy(() => import("../viewer/viewer"));
const OrderSheet = lazy(async () => ({ default: (await import("./ordering")).OrderSheet }));

export function MadeParts({ generation }: { generation: GenerationDocument }): ReactNode {
  const [chosen, setChosen] = useState(0);
  const made = generation.made[chosen] ?? generation.made[0]!;
  return (
    <section aria-label="What came of it">
      {generation.made.length > 1 && (
        <div className="chips" role="group" aria-label="Parts">
          {generation.made.map((each, number) => (
            <button key={each.url} type="button" className="chip quiet" aria-pressed={each === made} onClick={() => setChosen(number)}>{each.name || `Part ${number + 1}`}</button>
          ))}
        </div>
      )}
      <Part key={made.url} made={made} generation={generation} />
    </section>
  );
}

function Part({ made, generation }: { made: GenerationDocument["made"][number]; generation: GenerationDocument }): ReactNode {
  const { may } = useSession();
  const [ordering, setOrdering] = useState(false);
  const { data: version } = useQuery({
    queryKey: ["version", made.model_id, made.version],
    queryFn: ({ signal }) => get<VersionDocument>(made.url, signal),
    staleTime: Infinity,
  });
  if (!version) return null;
  const name = made.name || generation.name;
  const suffix = version.file_name.split(".").at(-1)?.toLowerCase() ?? "";
  const picture = pictureOf(version.pictures, "model", 400);
  return (
    <>
      {SHOWN.has(suffix)
        ? <Suspense fallback={<p role="status">Loading …</p>}><Viewer url={version.url} suffix={suffix} name={name} size_mm={version.size_mm} /></Suspense>
        : picture && <Picture url={picture} alt={`a picture of ${name}`} />}
      <p className="deeds">
        {may("jobs:submit") && <button type="button" className="main" onClick={() => setOrdering(true)}>Print it</button>}
        <Link className="button" href={`/models/${encodeURIComponent(made.model_id)}`}>Version {made.version} in the library</Link>
      </p>
      {version.remarks.map((remark) => <p key={remark} className="faint">{remark}</p>)}
      {generation.form.length > 0 && generation.state === "done" && <Parameters generation={generation} />}
      {version.source && <Code source={version.source} generation={generation} model={made.model_id} />}
      {ordering && (
        <Suspense fallback={null}>
          <OrderSheet title={name} model={{ id: made.model_id, number: made.version, name }} close={() => setOrdering(false)} />
        </Suspense>
      )}
    </>
  );
}

interface CodeShown {
  source: NonNullable<VersionDocument["source"]>;
  generation: GenerationDocument;
  model: string;
}

/** The code that a part was made of; changed by hand, it is rendered as a further version, and no model is asked. */
function Code({ source, generation, model }: CodeShown): ReactNode {
  const { may } = useSession();
  const [, go] = useLocation();
  const [code, setCode] = useState("");
  const [words, setWords] = useState("");
  useEffect(() => {
    const given = new AbortController();
    bytes(source.url, given.signal).then((found) => setCode(new TextDecoder().decode(found)), () => undefined);
    return () => given.abort();
  }, [source.url]);
  async function render(): Promise<void> {
    setWords("");
    try {
      const next = await ask<GenerationDocument>("POST", "/generations", {
        body: { provider: generation.provider, kind: "code", code, model_id: model, name: generation.name },
      });
      go(`/generate/${encodeURIComponent(next.id)}`);
    } catch (error) {
      setWords(error instanceof Error ? error.message : String(error));
    }
  }
  return (
    <details>
      <summary>Its code ({source.language})</summary>
      <textarea className="code" rows={18} spellCheck={false} aria-label="Code" value={code} onChange={(event) => setCode(event.target.value)} />
      <p role="alert" className="bad">{words}</p>
      {may("jobs:submit") && <p className="deeds"><Deed does={render}>Render what stands here</Deed></p>}
    </details>
  );
}
