/** Have the browser keep a file under a name: a link to it could show no credential. */
export async function keep(what: Blob | Promise<Blob>, name: string): Promise<void> {
  const address = URL.createObjectURL(await what);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
