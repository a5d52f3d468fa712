// The smallest socket.io server that does what the questions ask: log in, join, send to a room, send to one.
// It knows no tokens, rates or inboxes and stores nothing; broadcasts and acknowledgements are the library's own.
// With REDIS, a URL, it is one of several: whoever is with another is reached by the library's Redis adapter.
import { createServer } from "node:http";
import { createAdapter } from "@socket.io/redis-adapter";
import { createClient } from "redis";
import { Server } from "socket.io";

const http = createServer();
const people = new Map(); // account -> its socket, here
const io = new Server(http, { transports: ["websocket"], serveClient: false });
if (process.env.REDIS) {
  const publisher = createClient({ url: process.env.REDIS });
  const subscriber = publisher.duplicate();
  await Promise.all([publisher.connect(), subscriber.connect()]);
  io.adapter(createAdapter(publisher, subscriber));
}

io.on("connection", (socket) => {
  let account = "";
  socket.on("login", (name, done) => {
    account = name;
    people.set(name, socket);
    if (process.env.REDIS) socket.join(`account ${name}`);
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
    const here = people.get(to);
    if (here || !process.env.REDIS) here?.emit("whispered", account, text);
    else io.to(`account ${to}`).emit("whispered", account, text);
    done();
  });
  socket.on("disconnect", () => people.delete(account));
});

http.listen({ host: "127.0.0.1", port: 0, backlog: 4096 }, () =>
  console.log(`listening on http://127.0.0.1:${http.address().port}`),
);
