// The microphone as it is.

/** Its stream. Throws what `sentenceFor` knows. */
export async function microphoneStream() {
  if (!navigator.mediaDevices) throw Object.assign(new Error(), { name: "NoMicrophoneHere" });
  return navigator.mediaDevices.getUserMedia({
    // What makes calls clearer changes the sound, and we want the sound.
    audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
  });
}
