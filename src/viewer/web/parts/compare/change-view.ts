/** How the parts of a comparison say what they show: in the address of the viewer, or after the `#` of a page of its own. */
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';

/** Changes what is said, and keeps the rest; undefined or empty: left out. */
export type ChangeView = (changes: Readonly<Record<string, string | undefined>>) => void;

export const ViewChange = createContext<ChangeView>(() => undefined);

export const useViewChange = (): ChangeView => useContext(ViewChange);
