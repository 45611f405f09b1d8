/** Load a component when somebody needs it; `ahead` where it is known that somebody will. */

import { lazy, type ComponentType } from "react";

export type Later<Props> = ComponentType<Props> & { ahead: () => void };

export function later<Name extends string, Props>(
  load: () => Promise<Record<Name, ComponentType<Props>>>, name: Name,
): Later<Props> {
  const shown = lazy(async () => ({ default: (await load())[name] })) as unknown as ComponentType<Props>;
  // A browser asks for each file once; what failed is said by who shows it.
  return Object.assign(shown, { ahead: () => void load().catch(() => undefined) });
}
