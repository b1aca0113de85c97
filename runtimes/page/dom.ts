/** Small ways to the elements of the page. */

/** The element with an id, which the page has. */
export function $<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no #${id}`);
  return element as T;
}

/** A new element with properties and children; text becomes text nodes, so that nothing in it is markup. */
export function make<K extends keyof HTMLElementTagNameMap>(
  name: K, properties: Partial<HTMLElementTagNameMap[K]> = {}, ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

/** Shows text in an element, or hides it when there is none. */
export function say(id: string, text: string): void {
  const element = $(id);
  element.textContent = text;
  element.hidden = text === "";
}

/** Hands a file to the user as a download. */
export function download(file: Blob, name: string): void {
  const url = URL.createObjectURL(file);
  const link = make("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  // The browser has begun to read it by then; a Blob that is still being saved survives its URL.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** Makes an element take dropped files, and mark itself while some hang over it. */
export function onDrop(element: HTMLElement, take: (files: File[]) => void): void {
  const stop = (event: DragEvent): void => event.preventDefault();
  element.addEventListener("dragenter", stop);
  element.addEventListener("dragover", (event) => {
    event.preventDefault();
    element.classList.add("over");
  });
  element.addEventListener("dragleave", () => element.classList.remove("over"));
  element.addEventListener("drop", (event) => {
    event.preventDefault();
    element.classList.remove("over");
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length > 0) take(files);
  });
}
