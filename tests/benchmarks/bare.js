// The least that is a call: two pages, one relay for their descriptions, no server in between.
const state = { firstFrameMs: null, joined: false };
let stream;

async function prepare() {
  stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 1280, height: 720, frameRate: 30 } });
}

function call(room, offers) {
  const start = performance.now();
  state.firstFrameMs = null;
  const video = document.getElementById("remote");
  const socket = new WebSocket(`ws://${location.host}/relay?room=${room}`);
  const pc = new RTCPeerConnection({ iceServers: [], bundlePolicy: "max-bundle" });
  const early = [];
  const send = (message) => socket.send(JSON.stringify(message));
  pc.onicecandidate = ({ candidate }) => candidate && send({ candidate });
  pc.ontrack = ({ track, streams }) => {
    if (track.kind !== "video") return;
    video.srcObject = streams[0];
    video.requestVideoFrameCallback(() => { state.firstFrameMs ??= performance.now() - start; });
  };
  for (const track of stream.getTracks()) pc.addTrack(track, stream);
  socket.onopen = () => { state.joined = true; };
  socket.onmessage = async ({ data }) => {
    const message = JSON.parse(data);
    if (message.joined && offers) {
      await pc.setLocalDescription();
      send({ description: pc.localDescription });
    } else if (message.description) {
      await pc.setRemoteDescription(message.description);
      if (message.description.type === "offer") {
        await pc.setLocalDescription();
        send({ description: pc.localDescription });
      }
      for (const candidate of early.splice(0)) await pc.addIceCandidate(candidate);
    } else if (message.candidate) {
      if (pc.remoteDescription) await pc.addIceCandidate(message.candidate);
      else early.push(message.candidate);
    }
  };
  window.hangUp = () => { pc.close(); socket.close(); video.srcObject = null; };
}
window.bare = { prepare, call, state };
