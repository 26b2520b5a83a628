/** A button that opens a dialog about one thing: what is asked, fields if there are any, and what is done or left. */
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';

export interface DialogButtonProps {
  /** face of the button */
  readonly face: ComponentChildren;
  /** further class of the button */
  readonly look?: string;
  /** name of the button, where its face is a picture */
  readonly label?: string;
  readonly title?: string;
  readonly heading: string;
  /** what it is about, as listed */
  readonly name: string;
  /** words of the button that does it, and of the one that does not */
  readonly words: { readonly act: string; readonly leave: string };
  /** leaving comes first, and has the focus */
  readonly isCautious?: boolean;
  readonly onOpen?: () => void;
  /** throws Error, whose message is shown while the dialog stays open */
  readonly act: () => Promise<unknown>;
  /** it is done, and the dialog closed */
  readonly onDone?: () => void;
  readonly children?: ComponentChildren;
}

export function DialogButton(props: DialogButtonProps) {
  const { face, look = '', label, title, heading, name, words, isCautious = false, children } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const [isOpen, setOpen] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState('');
  useLayoutEffect(() => {
    if (isOpen) dialog.current?.showModal();
  }, [isOpen]);
  const open = (): void => {
    setError('');
    props.onOpen?.();
    setOpen(true);
  };
  const act = async (event: Event): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setError('');
    try {
      await props.act();
      dialog.current?.close();
      props.onDone?.();
    } catch (reason) {
      setError(reason instanceof Error ? reason.message : String(reason));
    }
    setBusy(false);
  };
  const leave = (
    <button type="button" class="quiet" autofocus={isCautious} onClick={() => dialog.current?.close()}>
      {words.leave}
    </button>
  );
  return (
    <>
      <button type="button" class={`quiet ${look}`} aria-label={label} title={title} onClick={open}>
        {face}
      </button>
      {isOpen && (
        <dialog ref={dialog} class="card" aria-label={label ?? heading} onClose={() => setOpen(false)}>
          <form class="dialog-form" onSubmit={(event) => void act(event)}>
            <h2>{heading}</h2>
            <p class="muted">
              <code>{name}</code>
            </p>
            {children}
            {error !== '' && (
              <p class="notice bad" role="alert">
                {error}
              </p>
            )}
            <div class="buttons">
              {isCautious && leave}
              <button type="submit" class="primary" disabled={isBusy}>
                {words.act}
              </button>
              {!isCautious && leave}
            </div>
          </form>
        </dialog>
      )}
    </>
  );
}
