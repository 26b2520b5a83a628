/** The number that a pointer is on, in every picture of the page. */
import { signal } from '@preact/signals';

export const pointed = signal<number | undefined>(undefined);
