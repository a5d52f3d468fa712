// The smallest socket.io server that does what the questions ask: log in, join, send to a room, send to one.
// It knows no tokens, rates or inboxes and stores nothing; broadcasts and acknowledgements are the library's own.
import { createServer } from "node:http";
import { Server } from "socket.io";

const http = createServer();
const people = new Map(); // account -> its socket
const io = new Server(http, { transports: ["websocket"], serveClient: false });

io.on("connection", (socket) => {
  let account = "";
  socket.on("login", (name, done) => {
    account = name;
    people.set(name, socket);
    done();
  });
  socket.on("join", (room, done) => {
    socket.join(room);
    done();
  });
  socket.on("share", (room, text, done) => {
    io.to(room).emit("shared", room, account, text);
    done();
  });
  socket.on("whisper", (to, text, done) => {
    people.get(to)?.emit("whispered", account, text);
    done();
  });
  socket.on("disconnect", () => people.delete(account));
});

http.listen({ host: "127.0.0.1", port: 0, backlog: 4096 }, () =>
  console.log(`listening on http://127.0.0.1:${http.address().port}`),
);
