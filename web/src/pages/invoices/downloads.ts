/** Files that the server makes when they are asked for. */

/** Let the browser fetch a file, in a tab of its own where it shows it. */
export function openFile(url: string | null | undefined): void {
  if (!url) return;
  const link = document.createElement("a");
  link.href = url;
  link.target = "_blank";
  link.rel = "noreferrer";
  link.click();
}
