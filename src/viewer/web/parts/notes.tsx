/** Tags and a note of a run: shown, and changed in a dialog. They lie beside the run and change nothing of it. */
import { useRef, useState } from 'preact/hooks';
import type { RunSummary } from '../../contract.js';
import { change, runList } from '../api.js';

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
  const dialog = useRef<HTMLDialogElement>(null);
  const [isOpen, setOpen] = useState(false);
  const open = (): void => {
    setOpen(true);
    // after the form is there
    setTimeout(() => dialog.current?.showModal());
  };
  return (
    <>
      <button type="button" class="quiet edit" aria-label={label} title="Tags and note" onClick={open}>
        <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true" focusable="false">
          <path d="M2 14l1-4 7.5-7.5a1.4 1.4 0 0 1 2 0l1 1a1.4 1.4 0 0 1 0 2L6 13z" />
        </svg>
      </button>
      {isOpen && (
        <dialog ref={dialog} class="card" aria-label={label} onClose={() => setOpen(false)}>
          <NotesForm
            run={run}
            onSaved={() => {
              dialog.current?.close();
              onSaved?.();
            }}
            onCancel={() => dialog.current?.close()}
          />
        </dialog>
      )}
    </>
  );
}

interface FormProps {
  readonly run: RunSummary;
  readonly onSaved: () => void;
  readonly onCancel: () => void;
}

function NotesForm({ run, onSaved, onCancel }: FormProps) {
  const [tags, setTags] = useState((run.tags ?? []).join(', '));
  const [note, setNote] = useState(run.note ?? '');
  const [error, setError] = useState('');
  const [isSaving, setSaving] = useState(false);
  const save = async (event: Event): Promise<void> => {
    event.preventDefault();
    setSaving(true);
    try {
      await change('PUT', `/api/runs/${run.address}/notes`, { tags: tagsOf(tags), note: note.trim() });
      await runList.refresh();
      onSaved();
    } catch (reason) {
      setError(reason instanceof Error ? reason.message : String(reason));
      setSaving(false);
    }
  };
  return (
    <form class="notes-form" onSubmit={(event) => void save(event)}>
      <h2>Tags and note</h2>
      <p class="muted">
        <code>{run.id}</code>
      </p>
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
      {error !== '' && (
        <p class="notice bad" role="alert">
          {error}
        </p>
      )}
      <div class="buttons">
        <button type="submit" class="primary" disabled={isSaving}>
          Save
        </button>
        <button type="button" class="quiet" onClick={onCancel}>
          Cancel
        </button>
      </div>
    </form>
  );
}

function tagsOf(text: string): string[] {
  const tags = text.split(',').map((tag) => tag.trim());
  return [...new Set(tags.filter((tag) => tag !== ''))];
}
