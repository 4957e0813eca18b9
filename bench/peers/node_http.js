// Node's own http with the document in memory, and 304 by its entity tag: nothing else, no limit, no counting.
//
//   node_http.js FILE
"use strict";
const http = require("http");
const { createHash } = require("crypto");
const body = require("fs").readFileSync(process.argv[2]);
const etag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 20)}"`;
const common = { etag, "cache-control": "public, max-age=60", "access-control-allow-origin": "*" };
const described = { ...common, "content-type": "application/json", "content-length": body.length };

const server = http.createServer((request, response) => {
  if (request.headers["if-none-match"] === etag) return response.writeHead(304, common).end();
  response.writeHead(200, described).end(body);
});
server.listen(0, "127.0.0.1", () => console.log(`ready ${server.address().port}`));
