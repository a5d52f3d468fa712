/**
 * When what has happened is shown: with the next frame that is drawn, however much has happened since the last one.
 *
 * It knows frames and hidden pages. It refuses to know what is shown.
 */

const REST = 50; // milliseconds: what takes longer to show has to let others go first
const SHARE = 3; // so many times as long

/** Calls back once for all that was asked for since, and later. */
export type Soon = (callback: () => void) => void;

/** Shows something with the next frame; if that takes long, it is shown less often, so that the page has its turns. */
export function withFrames(): Soon {
  let next = 0; // when it may be shown again, in milliseconds
  return (show) => {
    const act = (): void => {
      const start = performance.now();
      show();
      const end = performance.now();
      next = end - start < REST ? end : end + (end - start) * SHARE;
    };
    const wait = next - performance.now();
    if (wait <= 0 || document.hidden) beforeDrawing(act);
    else setTimeout(beforeDrawing, wait, act);
  };
}

/** Calls back before the next frame is drawn; in a hidden page, which draws none, when others have had a turn. */
function beforeDrawing(callback: () => void): void {
  if (document.hidden) {
    const { port1, port2 } = new MessageChannel(); // timers of hidden pages sleep, for minutes even
    port1.onmessage = () => {
      port1.close();
      callback();
    };
    port2.postMessage(null);
    return;
  }
  const act = (): void => {
    cancelAnimationFrame(frame);
    document.removeEventListener("visibilitychange", act);
    callback();
  };
  const frame = requestAnimationFrame(act);
  document.addEventListener("visibilitychange", act); // hidden before it was drawn
}
