/** One colour for each of `KINDS`, to be told apart on light and on dark ground. */
export const PALETTE = ["#d9731a", "#b58900", "#3f8fd2", "#5b6fd6", "#2e9e62", "#c4456b", "#7a8b3d", "#3fa7a0", "#8a8f8c"] as const;

/** What a line of plastic is for, in the order of the palette. */
export const KINDS = [
  "outer wall", "inner wall", "infill", "solid infill", "top", "bridge", "support", "skirt and brim", "other",
] as const;
