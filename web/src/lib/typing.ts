/** Whether keys that are pressed are somebody's words, or a dialog's. */
export function isTyping(target: EventTarget | null): boolean {
  const { isContentEditable, tagName } = target as HTMLElement;
  return (
    isContentEditable ||
    ["INPUT", "TEXTAREA", "SELECT"].includes(tagName) ||
    document.querySelector("[role=dialog]") !== null
  );
}
