/** Have the browser keep a file that was fetched: a link could show no credential. */
export async function keep(fetched: Promise<Blob | ArrayBuffer>, name: string, type: string): Promise<void> {
  const url = URL.createObjectURL(new Blob([await fetched], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
