/** Moves a run or a report to the trash folder, after a question that names it. */
import { change } from '../api.js';
import { DialogButton } from './dialog.js';

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
  return (
    <DialogButton
      face="Move to trash"
      heading={`Move this ${what} to the trash?`}
      name={name}
      words={{ act: 'Move to trash', leave: 'Keep it' }}
      isCautious
      act={() => change('DELETE', path, { confirm: name })}
      onDone={onMoved}
    >
      <p class="muted">
        Its folder moves into <code>.trash</code>, where nothing lists it. It can be moved back by hand.
      </p>
    </DialogButton>
  );
}
