/** Reads G-code beside the page, so that nothing of it ever waits. */

import { toolpathOf } from "./toolpath";

onmessage = ({ data }: MessageEvent<ArrayBuffer>): void => {
  const found = toolpathOf(new Uint8Array(data));
  const { printed, looks, commands, shell, travel, heights, printedEnds, travelEnds } = found;
  const given = [printed, looks, commands, shell, travel, heights, printedEnds, travelEnds].map(({ buffer }) => buffer as ArrayBuffer);
  postMessage(found, { transfer: given });
};
