// A client of the TypeScript SDK at its own limits, which another program moves by lines of JSON.
//
// node agent_client.mjs FOLDER SERVER, where FOLDER has node_modules with @modelcontextprotocol/sdk and SERVER is
// {"command", "args", "env"} or {"url", "headers"}. Each line in is {"tool", "arguments"}, {"resource"} or {"connect"};
// each line out is what came of it.

import { createInterface } from "node:readline";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, server] = [process.argv[2], JSON.parse(process.argv[3])];
const sdk = (name) => import(pathToFileURL(join(folder, "node_modules/@modelcontextprotocol/sdk/dist/esm", name)));
const { Client } = await sdk("client/index.js");
const { StdioClientTransport } = await sdk("client/stdio.js");
const { StreamableHTTPClientTransport } = await sdk("client/streamableHttp.js");

let client;

async function connect() {
  const before = client;
  client = new Client({ name: "a test", version: "1" });
  const transport = server.url
    ? new StreamableHTTPClientTransport(new URL(server.url), { requestInit: { headers: server.headers } })
    : new StdioClientTransport({ ...server, stderr: "ignore" });
  await before?.close().catch(() => {});
  await client.connect(transport);
  const { tools } = await client.listTools();
  return { tools: tools.map((tool) => tool.name), pid: transport.pid ?? null };
}

async function call({ tool, arguments: given }) {
  let progress = 0;
  const options = { onprogress: () => { progress += 1; } };
  const answer = await client.callTool({ name: tool, arguments: given }, undefined, options);
  return { values: answer.structuredContent ?? null, is_error: answer.isError === true, progress };
}

async function read({ resource }) {
  const page = await client.readResource({ uri: resource });
  return { values: { text: page.contents[0].text }, is_error: false, progress: 0 };
}

for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  let told;
  try {
    told = await (asked.connect ? connect() : asked.tool ? call(asked) : read(asked));
  } catch (error) {
    told = { failed: String(error?.message ?? error), code: error?.code ?? null };
  }
  process.stdout.write(`${JSON.stringify(told)}\n`);
}
await client?.close().catch(() => {});
process.exit(0);
