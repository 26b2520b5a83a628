/** Moves a run or a report to the trash folder, after a question that names it. */
import { useRef, useState } from 'preact/hooks';
import { change } from '../api.js';

interface TrashProps {
  /** `run` or `report` */
  readonly what: string;
  /** as listed: shown in the question, and said to the server, which refuses another */
  readonly name: string;
  /** `/api/runs/<address>` */
  readonly path: string;
  readonly onMoved: () => void;
}

export function TrashButton({ what, name, path, onMoved }: TrashProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [error, setError] = useState('');
  const [isMoving, setMoving] = useState(false);
  const move = async (): Promise<void> => {
    setMoving(true);
    try {
      await change('DELETE', path, { confirm: name });
      dialog.current?.close();
      onMoved();
    } catch (reason) {
      setError(reason instanceof Error ? reason.message : String(reason));
    }
    setMoving(false);
  };
  const ask = (): void => {
    setError('');
    dialog.current?.showModal();
  };
  return (
    <>
      <button type="button" class="quiet" onClick={ask}>
        Move to trash
      </button>
      <dialog ref={dialog} class="card" aria-label={`Move this ${what} to the trash?`}>
        <div class="notes-form">
          <h2>Move this {what} to the trash?</h2>
          <p>
            <code>{name}</code>
          </p>
          <p class="muted">
            Its folder moves into <code>.trash</code>, where nothing lists it. It can be moved back by hand.
          </p>
          {error !== '' && (
            <p class="notice bad" role="alert">
              {error}
            </p>
          )}
          <div class="buttons">
            <button type="button" class="quiet" autofocus onClick={() => dialog.current?.close()}>
              Keep it
            </button>
            <button type="button" class="primary" disabled={isMoving} onClick={() => void move()}>
              Move to trash
            </button>
          </div>
        </div>
      </dialog>
    </>
  );
}
