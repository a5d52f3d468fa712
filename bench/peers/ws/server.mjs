// The smallest server on npm `ws` that does what the questions ask: log in, join, send to a room, send to one.
// It knows no tokens, rates or inboxes and stores nothing; broadcasting is the loop of the package's own README.
import { WebSocketServer, WebSocket } from "ws";

const people = new Map(); // account -> its socket
const rooms = new Map(); // name -> Set of sockets

const server = new WebSocketServer({ host: "127.0.0.1", port: 0, backlog: 4096 });

server.on("connection", (socket) => {
  let account = "";
  const requests = {
    login(id, name) {
      account = name;
      people.set(name, socket);
      return id;
    },
    join(id, room) {
      if (!rooms.has(room)) rooms.set(room, new Set());
      rooms.get(room).add(socket);
      return id;
    },
    share(id, room, text) {
      const message = JSON.stringify(["shared", room, account, text]);
      for (const member of rooms.get(room)) {
        if (member.readyState === WebSocket.OPEN) member.send(message);
      }
      return id;
    },
    whisper(id, to, text) {
      people.get(to)?.send(JSON.stringify(["whispered", account, text]));
      return id;
    },
  };
  socket.on("message", (data) => {
    const [name, id, ...args] = JSON.parse(data.toString());
    socket.send(JSON.stringify(["done", requests[name](id, ...args)]));
  });
  socket.on("close", () => {
    people.delete(account);
    for (const members of rooms.values()) members.delete(socket);
  });
  socket.on("error", () => socket.terminate());
});

server.on("listening", () => console.log(`listening on http://127.0.0.1:${server.address().port}`));
