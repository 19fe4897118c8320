// Fills the page with what the server says of the connection, and tries the WebSocket.
const show = (id, text) => { document.getElementById(id).textContent = text ?? ""; };

async function report() {
  const answer = await fetch("api/connection");
  for (const [id, text] of Object.entries(await answer.json())) {
    show(id, text);
  }
}

function echo() {
  const socket = new WebSocket(new URL("echo", location.href.replace(/^http/, "ws")));
  const message = `hello at ${new Date().toISOString()}`;
  socket.onopen = () => socket.send(message);
  socket.onerror = () => show("socket", "failed");
  socket.onmessage = event => {
    show("socket", event.data === message ? "echoes" : "sends back something else");
    socket.close();
  };
}

report().catch(error => show("sending", error));
echo();
