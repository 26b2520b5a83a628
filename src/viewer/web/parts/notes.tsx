/** Tags and a note of a run: shown, and changed in a dialog. They lie beside the run and change nothing of it. */
import { useState } from 'preact/hooks';
import type { RunSummary } from '../../contract.js';
import { change, runList } from '../api.js';
import { DialogButton } from './dialog.js';

export function Tags({ run }: { readonly run: RunSummary }) {
  const tags = run.tags ?? [];
  if (tags.length === 0 && run.note === undefined) return null;
  return (
    <span class="tags" title={run.note}>
      {tags.map((tag) => (
        <span key={tag} class="tag">
          {tag}
        </span>
      ))}
      {run.note !== undefined && <span class="note-text">{run.note}</span>}
    </span>
  );
}

interface EditorProps {
  readonly run: RunSummary;
  readonly label: string;
  readonly onSaved?: () => void;
}

export function NotesButton({ run, label, onSaved }: EditorProps) {
  const [tags, setTags] = useState('');
  const [note, setNote] = useState('');
  const begin = (): void => {
    setTags((run.tags ?? []).join(', '));
    setNote(run.note ?? '');
  };
  const save = async (): Promise<void> => {
    await change('PUT', `/api/runs/${run.address}/notes`, { tags: tagsOf(tags), note: note.trim() });
    await runList.refresh();
  };
  return (
    <DialogButton
      face={
        <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true" focusable="false">
          <path d="M2 14l1-4 7.5-7.5a1.4 1.4 0 0 1 2 0l1 1a1.4 1.4 0 0 1 0 2L6 13z" />
        </svg>
      }
      look="edit"
      label={label}
      title="Tags and note"
      heading="Tags and note"
      name={run.id}
      words={{ act: 'Save', leave: 'Cancel' }}
      onOpen={begin}
      act={save}
      {...(onSaved === undefined ? {} : { onDone: onSaved })}
    >
      <label>
        Tags, with commas between them
        <input
          type="text"
          value={tags}
          autocomplete="off"
          onInput={(event) => setTags(event.currentTarget.value)}
        />
      </label>
      <label>
        Note
        <textarea rows={4} value={note} onInput={(event) => setNote(event.currentTarget.value)} />
      </label>
    </DialogButton>
  );
}

function tagsOf(text: string): string[] {
  const tags = text.split(',').map((tag) => tag.trim());
  return [...new Set(tags.filter((tag) => tag !== ''))];
}
