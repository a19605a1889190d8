// Players that come one after another in the same place, as behind a slider: the newest goes on
// with the version, at the moment and in the loop in which the one before was heard.

// A notebook takes a figure away before the next one comes: so long its sound goes on, in ms.
const GRACE = 500;

/** Go on for the player that was the last one in this player's slot. */
export async function takeOver(player) {
  const { slot } = player.figure.dataset;
  if (!slot) return;
  const latest = (window.minicodecLatest ??= new Map());
  const before = latest.get(slot);
  latest.set(slot, player);
  if (!before) return;
  // If that one has not begun yet, the sound is still that of the one before it.
  const sounding = before.source && goesOn(before.source) ? before.source : before;
  player.active = Math.min(before.active, player.items.length - 1);
  player.place = sounding.playing ? sounding.engine.position : before.place;
  player.region = before.region;
  player.loop = before.loop;
  player.difference = before.difference;
  player.matched = before.matched && player.gains !== null;
  player.update();
  if (!goesOn(sounding)) return;
  player.source = sounding;
  sounding.heir = player;
  try {
    await player.load();
  } catch (error) {
    sounding.pause();
    throw error;
  }
  // Who has been taken away meanwhile leaves the sound to whoever comes next.
  if (sounding.heir !== player || !player.figure.isConnected) return;
  player.source = null;
  if (goesOn(sounding) && !player.playing) {
    player.makeEngine(sounding.engine.context); // takes its time, in which the other sounds on
    player.place = sounding.playing ? sounding.engine.position : sounding.place;
    await player.play();
  } else if (!player.playing) player.place = sounding.place;
  sounding.pause();
  player.update();
}

/** Whether a player is on the page, or whoever goes on for it, or either may be about to come. */
export function isThere(player) {
  if (player.figure.isConnected || player.heir?.figure.isConnected) player.gone = null;
  else if (!player.figure.dataset.slot) return false;
  else player.gone ??= performance.now();
  return !player.gone || performance.now() - player.gone < GRACE;
}

/** Whether it plays, or would if its figure had not been taken away. */
function goesOn(player) {
  return player.playing || player.cut;
}
