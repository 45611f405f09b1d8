/** Load a component when somebody needs it. */

import { lazy, type ComponentType } from "react";

export function later<Name extends string, Props>(
  load: () => Promise<Record<Name, ComponentType<Props>>>, name: Name,
): ComponentType<Props> {
  return lazy(async () => ({ default: (await load())[name] })) as ComponentType<Props>;
}
